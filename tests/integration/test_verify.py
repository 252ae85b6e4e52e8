"""strife verify beside a busy network, on stopped databases, and on files that are not what they should be."""

import json
import shutil
import sqlite3
import threading

from cases import NetworkCase
from load import Load
from network import Network, run_strife


def verified(network):
    ended = run_strife("verify", "--dir", network.path, "--output", "json")
    return json.loads(ended.stdout), ended


class BusyNetwork(NetworkCase):
    USERS = 6

    def test_WhilePaymentsFlow_NoAlarmIsFalse(self):
        load = Load(self.network.clients())
        sending = threading.Thread(target=lambda: load.run(1500, lambda: None))
        sending.start()
        runs = unfinished = 0
        while sending.is_alive():
            report, ended = verified(self.network)
            self.assertEqual(ended.returncode, 0, json.dumps(report["violations"], indent=1))
            self.assertTrue(report["clearing_checked"])
            runs += 1
            unfinished += report["open"] + report["moving"]
        sending.join()
        self.assertGreater(unfinished, 0, "the network was never caught at work")
        load.settle()
        self.assert_books()
        print(f"{runs} verifications, {unfinished} payments caught unfinished … ", end="", flush=True)


class Files(NetworkCase):
    BANKS = 2
    USERS = 2

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=cls.BANKS, users=cls.USERS)
        cls.addClassCleanup(cls.network.close)
        cls.network.start()
        load = Load(cls.network.clients())
        load.run(20, lambda: None, more=0)
        load.settle()
        cls.network.stop()
        cls.kept = cls.network.directory / "kept"
        shutil.copytree(cls.network.path / "data", cls.kept)

    def tearDown(self):
        shutil.rmtree(self.network.path / "data")
        shutil.copytree(self.kept, self.network.path / "data")

    def database(self, name):
        return self.network.path / "data" / name / ("gateway.db" if name == "gateway" else "bank.db")

    def change(self, name, sql):
        with sqlite3.connect(self.database(name)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.executescript(sql)
        connection.close()

    def assert_one_sentence(self, *words):
        ended = run_strife("verify", "--dir", self.network.path)
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertEqual(ended.stdout, "")
        self.assertEqual(len(ended.stderr.strip().splitlines()), 1, ended.stderr)
        for word in words:
            self.assertIn(str(word), ended.stderr)

    def test_StoppedNetwork_IsProven(self):
        report, ended = verified(self.network)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual((report["open"], report["moving"], report["clearing_checked"]), (0, 0, True))
        self.assertEqual(set(report), {"ok", "payments", "open", "moving", "banks", "banks_not_checked",
                                       "clearing_checked", "forced", "violation_count", "violations_by_invariant",
                                       "violations"})

    def test_Damage_IsNamedWithWhatIsExpectedAndFound(self):
        self.change("bank1", "UPDATE accounts SET posted = posted + 1 WHERE account_id = 'user1'")
        report, ended = verified(self.network)
        self.assertEqual(ended.returncode, 1)
        violation, = report["violations"]
        self.assertEqual((violation["invariant"], violation["bank_id"], violation["account_id"]),
                         ("balances", "bank1", "user1"))
        self.assertEqual(int(violation["found"]), int(violation["expected"]) + 1)
        said = run_strife("verify", "--dir", self.network.path)
        self.assertEqual(said.returncode, 1)
        self.assertIn("user1", said.stdout)
        self.assertIn("WRONG", said.stderr)

    def test_RowThatMakesNoSense_IsNamedAndTheRestIsChecked(self):
        self.change("bank1", "UPDATE transactions SET state = 9 WHERE id = (SELECT max(id) FROM transactions WHERE "
                             "kind = 1); UPDATE accounts SET posted = posted + 1 WHERE account_id = 'user1'")
        report, ended = verified(self.network)
        self.assertEqual(ended.returncode, 1)
        self.assertGreaterEqual(set(report["violations_by_invariant"]), {"well-formed", "balances"})

    def test_FileThatIsNoDatabase_IsOneSentence(self):
        self.database("bank1").write_bytes(b"not a database " * 1000)
        self.assert_one_sentence(self.database("bank1"), "damaged or not a database")

    def test_MissingFile_IsOneSentence(self):
        self.database("bank2").unlink()
        self.assert_one_sentence(self.database("bank2"), "check that the file exists")

    def test_AnotherProgramsDatabase_IsOneSentence(self):
        self.change("gateway", "PRAGMA application_id = 1")
        self.assert_one_sentence(self.database("gateway"), "is not a Strife gateway database")

    def test_DatabaseOfANewerStrife_IsOneSentence(self):
        self.change("bank1", "PRAGMA user_version = 99")
        self.assert_one_sentence(self.database("bank1"), "made by a newer Strife")

    def test_BanksDatabaseInAnothersPlace_IsOneSentence(self):
        shutil.copy(self.database("bank1"), self.database("bank2"))
        self.assert_one_sentence("belongs to bank bank1", "bank2")

    def test_DatabaseThatIsBeingRebuilt_IsOneSentence(self):
        connection = sqlite3.connect(self.database("bank1"))
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            self.assert_one_sentence(self.database("bank1"), "another process")
        finally:
            connection.close()

    def test_BankThatIsNotGiven_IsSaidAndNotHeldAgainstTheOthers(self):
        ended = run_strife("verify", "--config", self.network.config("gateway"), "--config",
                           self.network.config("bank1"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("NOT CHECKED: the books of bank2", ended.stdout)
