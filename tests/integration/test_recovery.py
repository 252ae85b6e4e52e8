"""What a server takes up again when it starts."""

import sqlite3

from cases import NetworkCase
from network import ABORTED, bank_pb2, new_id, types_pb2, wait_until


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


class GatewayRecovery(NetworkCase):
    BANKS = 2
    USERS = 2

    def setUp(self):
        self.payer, self.payee = self.network.clients()

    def orphan(self):
        """A payment that is on record and not decided; the gateway is dead."""
        order = self.payer.order(self.payee.accounts["bank2"], 1, bank="bank1")
        self.network.pause("bank2")
        call = self.payer.pay_later(order)
        self.payer.wait_for_state(order.transaction_id, types_pb2.PAYMENT_STATE_INITIATED)
        self.network.kill("gateway")
        self.network.resume("bank2")
        call.exception()  # the connection is gone
        return order

    def launch_and_lock(self, database):
        """Starts the gateway and takes its database from it when it has opened it and not yet written anything into
        it; whether that came off."""
        def on_record(what):
            return database.execute(what).fetchone()[0]
        starts = "SELECT count(*) FROM audit"
        epoch, started = on_record("SELECT epoch FROM meta"), on_record(starts)
        self.network.launch("gateway")
        while on_record("SELECT epoch FROM meta") == epoch:  # without a pause: the moment is short
            self.network.assert_running()
        self.network.pause("gateway")
        try:
            database.execute("BEGIN IMMEDIATE")
            if on_record(starts) == started:
                return True
            database.execute("ROLLBACK")
        except sqlite3.OperationalError:  # it is at writing
            pass
        self.network.kill("gateway")
        return False

    def test_RestartedGateway_IsNotReachableBeforeWhatItsRecoveryDecidedIsOnDisk(self):
        order = self.orphan()
        database = sqlite3.connect(self.network.path / "data/gateway/gateway.db", isolation_level=None, timeout=0)
        wait_until(lambda: self.launch_and_lock(database), "the gateway to be caught at recovering")
        gateway, heard = self.network.processes["gateway"], set()
        self.network.resume("gateway")
        wait_until(lambda: heard.add(self.network.health("gateway")) or not gateway.alive(), "the gateway to give up")
        database.close()
        self.assertEqual(heard, {None})
        self.assertEqual(gateway.wait(), 1, "nothing may go on that is not on disk")

        self.network.start("gateway")
        self.assertEqual(self.payer.payment(order.transaction_id).state, ABORTED, "from the first answer on")
        self.assert_books()
