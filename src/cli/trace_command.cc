// trace, admin trace: the way of one payment.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/configs.h"
#include "cli/open_client.h"
#include "cli/operator_targets.h"
#include "cli/queue_view.h"
#include "cli/trace_view.h"
#include "rpc/admin_client.h"

namespace strife::cli {
namespace {

struct TraceOptions : ClientCommandOptions {
  std::string id;
};

int Show(const TraceSources& sources, OutputFormat output) {
  if (output == OutputFormat::kJson) {
    PrintJson(TraceJson(sources));
  } else {
    PrintText(TraceText(sources));
  }
  return kExitDone;
}

Result<Uuid> ReadId(const std::string& text) {
  const auto id = Uuid::Parse(text);
  if (id) return *id;
  return Fail(ErrorCode::kInvalidInput, "\"" + text + "\" is not a payment id; it is a UUID as strife pay prints it");
}

int TraceOwn(TraceOptions& options) {
  const auto id = ReadId(options.id);
  if (!id) return ReportUsage(id.error().message);
  auto client = OpenClient(*options.client);
  if (!client) return Report(client.error());
  TraceSources sources;
  if (const auto session = (*client)->CurrentSession()) {
    sources.queued = FindQueued((*client)->config().data_dir, session->username, *id);
  }
  auto trace = (*client)->TracePayment(*id);
  if (trace) {
    sources.trace = *std::move(trace);
    return Show(sources, options.output);
  }
  const int failed = Report(trace.error().error);
  if (!sources.queued) return failed;
  Show(sources, options.output);
  return kExitUnknownOutcome;
}

struct AnyTraceOptions : OperatorOptions {
  std::string id;
};

int TraceAny(AnyTraceOptions& options) {
  const auto id = ReadId(options.id);
  if (!id) return ReportUsage(id.error().message);
  auto targets = options.ReadTargets();
  if (!targets) return Report(targets.error());
  auto trace = rpc::TracePayment(targets->gateway, *id);
  if (!trace) return Report(trace.error());
  return Show({*std::move(trace), std::nullopt}, options.output);
}

}  // namespace

void AddTraceCommand(CLI::App& app, Invocation& invocation) {
  const auto [trace, options] = AddCommandWith<TraceOptions>(
      app, invocation, "trace", "Show one of your payments step by step, with what became of it and why",
      "  strife trace 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n"
      "  strife trace 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b --output json\n"
      "\nOperators see any payment with strife admin trace.",
      TraceOwn);
  trace->add_option("ID", options->id, "The payment's id")->required();
}

void AddAdminTraceCommand(CLI::App& app, Invocation& invocation) {
  const auto [trace, options] = AddCommandWith<AnyTraceOptions>(
      *app.get_subcommand("admin"), invocation, "trace",
      "Show any payment step by step: at the gateway and at its banks",
      "  strife admin trace 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b --config net/operator.toml", TraceAny);
  trace->add_option("ID", options->id, "The payment's id")->required();
}

}  // namespace strife::cli
