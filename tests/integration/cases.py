"""Base of the test cases: one running network for each class."""

import unittest

import grpc

from network import Network, error_detail, refusal


class NetworkCase(unittest.TestCase):
    """`self.network` runs, and nothing of it is left afterwards. Set the constants to taste."""

    BANKS = 3
    USERS = 4
    BY_NAME = False
    GATEWAY_FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=cls.BANKS, users=cls.USERS, by_name=cls.BY_NAME)
        cls.addClassCleanup(cls.network.close)
        cls.network.start("gateway", flags=cls.GATEWAY_FLAGS)
        cls.network.start(*cls.network.banks)

    def assert_refused(self, call, code, reason=None, field=None):
        """The call fails with this status and says why in an ErrorDetail; returns the detail."""
        error = refusal(call)
        self.assertEqual(error.code(), code, error.details())
        detail = error_detail(error)
        self.assertIsNotNone(detail, "no ErrorDetail in grpc-status-details-bin")
        self.assertTrue(detail.message, "an error without words")
        if reason is not None:
            self.assertEqual(detail.reason_code, reason)
        if field is not None:
            self.assertEqual(detail.field, field)
        return detail

    def assert_books(self, network=None):
        verdict = (network or self.network).verify()
        self.assertEqual(verdict.returncode, 0, verdict.stdout + verdict.stderr)

    def assert_nothing_held(self, clients):
        for client in clients:
            for bank_id in client.accounts:
                balance = client.balance(bank_id)
                self.assertEqual(balance.held.minor_units, 0, f"{client.user} at {bank_id}")
                self.assertEqual(balance.available, balance.posted)


Code = grpc.StatusCode
