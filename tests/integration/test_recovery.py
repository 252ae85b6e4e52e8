"""What a server takes up again when it starts."""

from cases import NetworkCase
from network import bank_pb2, new_id, types_pb2, wait_until


class Recovery(NetworkCase):
    BANKS = 1
    USERS = 1

    def test_RestartedBank_AsksAtOnceAboutWhatItHadPrepared(self):
        # A bank which waits an hour for decisions can only have asked because it was restarted.
        self.network.kill("bank1")
        self.network.start("bank1", flags=("--inquiry-delay", "1h"))
        client = self.network.client("user1")
        client.wait_for_banks()
        order = {"transaction_id": new_id(), "gateway_epoch": 1}
        prepare = bank_pb2.PrepareTransactionRequest(
            amount=types_pb2.Money(minor_units=100, currency="USD"), to=client.accounts["bank1"],
            **{"from": types_pb2.AccountRef(bank_id="elsewhere", account_id="x")}, **order)
        self.network.bank("bank1").PrepareTransaction(prepare, timeout=20, wait_for_ready=True)
        self.network.kill("bank1")
        self.network.start("bank1", flags=("--inquiry-delay", "1h"))
        status = bank_pb2.GetTransactionStatusRequest(transaction_id=order["transaction_id"])

        def ended():
            answer = self.network.bank("bank1").GetTransactionStatus(status, timeout=20, wait_for_ready=True)
            return answer.state != bank_pb2.BANK_TRANSACTION_STATE_PREPARED and answer
        self.assertEqual(wait_until(ended, "the bank to be told").state, bank_pb2.BANK_TRANSACTION_STATE_ABORTED)
        self.assert_books()
