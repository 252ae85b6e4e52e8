#include "cluster/cluster.h"

#include <gtest/gtest.h>

namespace strife::cluster {

using namespace protocol;

namespace {

Uuid MakeId(std::uint8_t kind, int n) {
  Uuid id;
  id.bytes[0] = kind;
  id.bytes[15] = static_cast<std::uint8_t>(n);
  return id;
}

std::string AccountName(int n) { return "account" + std::to_string(n); }

constexpr Duration kCallTimeout = seconds(2);

}  // namespace

// ---- Gateway ----

GatewayNode::Effects GatewayNode::Boot() {
  store_ = OpenMemoryGatewayStore(disk_);
  const GatewayIncarnation incarnation = store_->OpenIncarnation(MakeId(9, 9)).value();
  machine_.emplace(GatewayMachine{Coordinator(CoordinatorOptions{})});
  CoordinatorPast past{incarnation.store_id, incarnation.epoch, incarnation.sequence,
                       store_->LoadOpenPayments().value(), OpenMemoryGatewayReader(disk_)->Banks().value()};
  return machine_->Wrap(machine_->coordinator.Recover(world_.now(), std::move(past)));
}

void GatewayNode::Stopped() {
  submits_.clear();
  inquiries_.clear();
}

void GatewayNode::Submit(const PaymentOrder& order) {
  if (!up()) return;
  submits_.insert(++last_call_);
  Push(SubmitInput{{last_call_, 0}, order});
}

void GatewayNode::Inquire(InquiryInput input, std::function<void(std::optional<Decision>, std::uint64_t)> answered) {
  if (!up()) return;
  input.reply_to = {++last_call_, 0};
  inquiries_[last_call_] = std::move(answered);
  Push(std::move(input));
}

GatewayNode::Sending GatewayNode::Sends(Effects effects) {
  CheckStability(effects.out.payments);
  Sending sends;
  std::map<std::string, std::vector<BankCommand>> calls;
  for (AddressedCommand& sent : effects.out.commands) calls[sent.bank_id].push_back(std::move(sent.command));
  for (auto& [bank_id, commands] : calls) {
    sends.push_back([this, bank_id, commands] { Call(bank_id, commands); });
  }
  for (SubmitAnswer& answer : effects.out.submit_answers) {
    EXPECT_EQ(submits_.erase(answer.reply_to.call), 1u) << "a call is answered once";
    sends.push_back([this, answer] { world_.Send([this, answer] { cluster_.Told(answer); }); });
  }
  for (const InquiryAnswer& answer : effects.out.inquiry_answers) {
    auto waiting = inquiries_.extract(answer.reply_to.call);
    EXPECT_FALSE(waiting.empty());
    const auto decision = answer.outcome == InquiryOutcome::kDecided ? std::optional(answer.decision) : std::nullopt;
    sends.push_back([this, decision, answered = waiting.mapped(), epoch = machine_->coordinator.epoch()] {
      world_.Send([=] { answered(decision, epoch); });
    });
  }
  for (const CoordinatorEvent& event : effects.out.events) {
    if (event.kind == CoordinatorEvent::Kind::kPartialCommit || event.kind == CoordinatorEvent::Kind::kStaleEpoch)
      continue;
    cluster_.ReportViolation(event.what);
  }
  return sends;
}

// Every command comes back exactly once to the process that sent it: with the bank's reply or as undelivered.
void GatewayNode::Call(const std::string& bank_id, std::vector<BankCommand> commands) {
  const auto open = std::make_shared<bool>(true);
  const auto ends_here = [this, open, sender = run()] {
    return up() && run() == sender && std::exchange(*open, false);
  };
  UndeliveredInput undelivered{bank_id, {}};
  for (const BankCommand& command : commands) undelivered.commands.push_back({command.id, command.kind});
  world_.After(kCallTimeout, [=, this] {
    if (ends_here()) Push(undelivered);
  });
  world_.Send([=, this] {
    cluster_.bank(bank_id).Execute(commands, [=, this](std::vector<BankReply> replies) {
      if (ends_here()) Push(BankRepliesInput{bank_id, std::move(replies)});
    });
  });
}

void GatewayNode::CheckStability(const std::vector<PaymentRecord>& payments) {
  for (const PaymentRecord& payment : payments) {
    PaymentState& known = decided_[payment.order.id];
    const bool stable = IsDecidedCommit(known) ? IsDecidedCommit(payment.state) : known != PaymentState::kAborted;
    EXPECT_TRUE(stable) << "a decision changed: " << payment.order.id.ToString();
    known = payment.state;
  }
}

// ---- Bank ----

BankNode::Effects BankNode::Boot() {
  store_ = OpenMemoryBankStore(disk_);
  EXPECT_TRUE(store_->Open(id()));
  machine_.emplace(ParticipantOptions{.bank_id = id()});
  machine_->Recover(world_.now(), store_->LoadPrepared().value(), store_->LoadGatewaySeen().value());
  world_.After(Duration(0), [this] {
    for (int n = 0; n < Cluster::kAccountsPerBank; ++n) {
      const Money opening{Cluster::kOpening, *Currency::Parse("USD")};
      Push(OpenAccountInput{MakeId(7, 10 * number_ + n), AccountName(n), opening});
    }
  });
  return {};
}

void BankNode::Heartbeat() {
  world_.After(seconds(2), [this] { Heartbeat(); });
  if (!up()) return;
  RegisterInput input;
  input.bank.bank_id = id();
  if (const auto& seen = machine_->gateway_seen()) {
    input.store_id = seen->store_id;
    input.sequence = seen->sequence;
  }
  world_.Send([this, input] { cluster_.gateway->Push(input); });
}

void BankNode::Execute(const std::vector<BankCommand>& commands, std::function<void(std::vector<BankReply>)> answered) {
  if (!up()) return;
  batches_[++last_batch_] = {commands.size(), {}, std::move(answered)};
  std::uint32_t slot = 0;
  for (const BankCommand& command : commands) Push(CommandInput{{last_batch_, slot++}, command});
}

BankNode::Sending BankNode::Sends(Effects effects) {
  Sending sends;
  for (CommandAnswer& answer : effects.answers) {
    const auto batch = batches_.find(answer.reply_to.call);
    if (batch == batches_.end()) {
      ADD_FAILURE() << "a command is answered once";
      continue;
    }
    batch->second.replies.push_back(std::move(answer.reply));
    if (batch->second.replies.size() < batch->second.size) continue;
    sends.push_back([this, done = std::move(batch->second)] { world_.Send([done] { done.answered(done.replies); }); });
    batches_.erase(batch);
  }
  for (const Inquiry& inquiry : effects.inquiries) {
    sends.push_back([this, inquiry] {
      const auto open = std::make_shared<bool>(true);
      const auto answered = [this, inquiry, open, asker = run()](std::optional<Decision> decision,
                                                                 std::uint64_t epoch) {
        if (run() == asker && std::exchange(*open, false)) Push(InquiryAnswered{inquiry.id, decision, epoch});
      };
      world_.After(kCallTimeout, [answered] { answered(std::nullopt, 0); });
      const InquiryInput input{{}, id(), inquiry.id, inquiry.gateway_store_id, inquiry.gateway_sequence};
      world_.Send([this, input, answered] { cluster_.gateway->Inquire(input, answered); });
    });
  }
  for (const ParticipantEvent& event : effects.events) {
    if (event.kind == ParticipantEvent::Kind::kProtocolViolation) cluster_.ReportViolation(event.what);
  }
  return sends;
}

// ---- Cluster ----

Cluster::Cluster(std::uint64_t seed) : world(seed) {
  gateway = std::make_unique<GatewayNode>(*this, world, gateway_disk);
  for (int n = 0; n < kBanks; ++n) {
    bank_disks.push_back(std::make_shared<MemoryBankDisk>());
    banks.push_back(std::make_unique<BankNode>(*this, world, bank_disks.back(), n));
  }
}

void Cluster::Run(int payments) {
  gateway->Start();
  for (const auto& node : banks) {
    node->Start();
    node->Heartbeat();
  }
  for (int n = 0; n < payments; ++n) {
    const auto account = [&] {
      return AccountRef{banks[world.Draw(kBanks)]->id(), AccountName(static_cast<int>(world.Draw(kAccountsPerBank)))};
    };
    const Uuid id = MakeId(1, n);
    const Money amount{static_cast<std::int64_t>(1 + world.Draw(300)), *Currency::Parse("USD")};
    Client& client = clients_[id];
    client.order = {id, "ann", account(), account(), amount, ""};
    world.After(world.DrawDuration(seconds(12)), [this, &client] { Ask(client); });
  }
  const Duration calm = seconds(30);
  world.RunUntil(calm, [] { return false; });
  world.faults = {};
  world.RunUntil(calm + seconds(120), [this] { return Ended(); });
  EXPECT_TRUE(Ended()) << "something stayed open";
}

// Asks until there is a final answer, then once more.
void Cluster::Ask(Client& client) {
  if (client.asks_left == 0) return;
  world.Send([this, &client] { gateway->Submit(client.order); });
  world.After(seconds(1) + world.DrawDuration(seconds(6)), [this, &client] { Ask(client); });
}

void Cluster::Told(const SubmitAnswer& answer) {
  if (answer.outcome != SubmitOutcome::kEnded && answer.outcome != SubmitOutcome::kDuplicate) {
    EXPECT_TRUE(answer.outcome == SubmitOutcome::kUnknownPayerBank ||
                answer.outcome == SubmitOutcome::kUnknownPayeeBank)
        << "outcome " << static_cast<int>(answer.outcome);
    return;
  }
  Client& client = clients_.at(answer.payment.order.id);
  EXPECT_EQ(answer.payment.order, client.order);
  if (!IsFinal(answer.payment.state)) return;
  client.told.insert(answer.payment.state);
  client.asks_left = std::max(0, client.asks_left - 1);
}

void Cluster::ReportViolation(const std::string& what) { violations_.push_back(what); }

bool Cluster::Ended() const {
  if (!gateway->up() || gateway->machine().coordinator.open_count() > 0) return false;
  return std::ranges::all_of(clients_, [](const auto& client) { return client.second.asks_left == 0; }) &&
         std::ranges::all_of(banks,
                             [](const auto& node) { return node->up() && node->machine().prepared_count() == 0; });
}

void Cluster::Check() {
  EXPECT_TRUE(violations_.empty()) << violations_.front();
  std::int64_t clearing = 0;
  for (int n = 0; n < kBanks; ++n) CheckBooks(n, clearing);
  EXPECT_EQ(clearing, 0) << "clearing accounts of all banks";
  for (const auto& [id, client] : clients_) CheckPayment(client);
}

// Conservation, no overdraft, no hold left.
void Cluster::CheckBooks(int bank_number, std::int64_t& clearing) {
  bank_disks[static_cast<std::size_t>(bank_number)]->Access([&](MemoryBankContents& books) {
    std::map<std::string, std::int64_t> sums;
    std::int64_t total = 0;
    for (const auto& [key, entry] : books.entries) {
      sums[entry.account_id] += entry.amount_minor_units;
      total += entry.amount_minor_units;
    }
    EXPECT_EQ(total, 0);
    for (const auto& [id, account] : books.accounts) {
      EXPECT_EQ(account.posted, sums[id]) << id;
      EXPECT_EQ(account.held, 0) << id;
      EXPECT_EQ(account.incoming, 0) << id;
      EXPECT_TRUE(account.kind != AccountKind::kCustomer || account.posted >= 0) << id;
      if (account.kind == AccountKind::kClearing) clearing += account.posted;
    }
  });
}

// Agreement, exactly once, told the truth: the record, each bank's own state and its entries say the same.
void Cluster::CheckPayment(const Client& client) {
  const PaymentOrder& order = client.order;
  std::optional<PaymentState> state;
  gateway_disk->Access([&](MemoryGatewayContents& contents) {
    if (const auto row = contents.payments.find(order.id); row != contents.payments.end()) state = row->second.state;
  });
  ASSERT_TRUE(state && IsFinal(*state));
  EXPECT_EQ(client.told, std::set{*state}) << order.id.ToString();
  const bool completed = *state == PaymentState::kCompleted;
  for (int n = 0; n < kBanks; ++n) {
    const std::string bank_id = banks[static_cast<std::size_t>(n)]->id();
    std::map<std::string, std::int64_t> expected, found;
    std::size_t lines = 0, expected_lines = 0;
    const auto expect = [&](const std::string& account, std::int64_t amount) {
      expected[account] += amount;
      expected["clearing:USD"] -= amount;
      expected_lines += 2;
    };
    if (completed && order.from.bank_id == bank_id) expect(order.from.account_id, -order.amount.minor_units);
    if (completed && order.to.bank_id == bank_id) expect(order.to.account_id, order.amount.minor_units);
    bank_disks[static_cast<std::size_t>(n)]->Access([&](MemoryBankContents& books) {
      for (const auto& [key, entry] : books.entries) {
        if (key.first != order.id) continue;
        found[entry.account_id] += entry.amount_minor_units;
        ++lines;
      }
      const auto row = books.transactions.find(order.id);
      const bool committed = row != books.transactions.end() && row->second.state == BankTransactionState::kCommitted;
      EXPECT_EQ(committed, expected_lines > 0) << bank_id << " " << order.id.ToString();
    });
    EXPECT_EQ(found, expected) << bank_id << " " << order.id.ToString();
    EXPECT_EQ(lines, expected_lines);
  }
}

}  // namespace strife::cluster
