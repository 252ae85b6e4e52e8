// pki …: a certificate authority in a directory.
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/output.h"
#include "cli/table.h"
#include "security/pki.h"
#include "security/secure_file.h"

namespace strife::cli {
namespace {

using security::Certificate;
using security::CertificateAuthority;

struct PkiOptions {
  std::string dir;
  OutputFormat output = OutputFormat::kTable;
  std::string trust_domain = "strife.local";
  std::string role;
  std::string name;
  std::string lifetime;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::string file;
};

Json CertificateJson(const Certificate& certificate) {
  return {{"name", certificate.identity.name},
          {"role", std::string(security::RoleName(certificate.identity.role))},
          {"identity", certificate.identity.Uri()},
          {"serial", certificate.serial},
          {"not_before", FormatTime(certificate.not_before)},
          {"not_after", FormatTime(certificate.not_after)}};
}

std::string CertificateText(const Certificate& certificate) {
  return RenderFields({{"identity", certificate.identity.Uri()},
                       {"serial", certificate.serial},
                       {"valid from", FormatTime(certificate.not_before)},
                       {"valid until", FormatTime(certificate.not_after)}});
}

void PrintCertificate(const Certificate& certificate, OutputFormat output) {
  if (output == OutputFormat::kJson) return PrintJson(CertificateJson(certificate));
  PrintText(CertificateText(certificate));
}

int Init(const PkiOptions& options) {
  security::AuthorityOptions authority{.trust_domain = options.trust_domain};
  if (!options.lifetime.empty()) {
    auto lifetime = ParseDuration(options.lifetime);
    if (!lifetime) return ReportUsage(lifetime.error().message);
    authority.lifetime = *lifetime;
  }
  auto made = CertificateAuthority::Create(options.dir, authority, WallNow());
  if (!made) return Report(made.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"dir", options.dir}, {"trust_domain", made->trust_domain()}});
  } else {
    PrintText("A certificate authority for " + made->trust_domain() + " is in " + options.dir +
              "; keep ca.key there secret and give ca.crt to everybody.\n");
  }
  return kExitDone;
}

int Issue(const PkiOptions& options) {
  security::CertificateRequest request;
  auto role = security::ParseRole(options.role);
  if (!role) return ReportUsage("\"" + options.role + "\" is not a role; write gateway, bank, client or operator");
  request.role = *role;
  request.name = options.name;
  if (!options.lifetime.empty()) {
    auto lifetime = ParseDuration(options.lifetime);
    if (!lifetime) return ReportUsage(lifetime.error().message);
    request.lifetime = *lifetime;
  }
  if (!options.dns_names.empty()) request.dns_names = options.dns_names;
  if (!options.ip_addresses.empty()) request.ip_addresses = options.ip_addresses;
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  auto certificate = authority->Issue(request, WallNow());
  if (!certificate) return Report(certificate.error());
  PrintCertificate(*certificate, options.output);
  return kExitDone;
}

int Renew(const PkiOptions& options) {
  Duration lifetime{};
  if (!options.lifetime.empty()) {
    auto parsed = ParseDuration(options.lifetime);
    if (!parsed) return ReportUsage(parsed.error().message);
    lifetime = *parsed;
  }
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  auto certificate = authority->Renew(options.name, lifetime, WallNow());
  if (!certificate) return Report(certificate.error());
  PrintCertificate(*certificate, options.output);
  return kExitDone;
}

int Revoke(const PkiOptions& options) {
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  auto revoked = authority->Revoke(options.name, WallNow());
  if (!revoked) return Report(revoked.error());
  if (options.output == OutputFormat::kJson) {
    Json list = Json::array();
    for (const auto& certificate : *revoked) list.push_back(CertificateJson(certificate));
    PrintJson({{"revoked", list}});
  } else {
    for (const auto& certificate : *revoked) {
      PrintText("revoked " + certificate.serial + " of " + certificate.identity.Uri() + "\n");
    }
  }
  return kExitDone;
}

int List(const PkiOptions& options) {
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  auto entries = authority->List(WallNow());
  if (!entries) return Report(entries.error());
  Table table({{"name", Align::kLeft},
               {"role", Align::kLeft},
               {"state", Align::kLeft},
               {"days left", Align::kRight},
               {"valid until", Align::kLeft},
               {"serial", Align::kLeft}});
  Json list = Json::array();
  for (const auto& entry : *entries) {
    const Certificate& certificate = entry.certificate;
    std::string state(security::CertificateStateName(entry.state));
    table.AddRow({certificate.identity.name, std::string(security::RoleName(certificate.identity.role)), state,
                  std::to_string(entry.days_left), FormatTime(certificate.not_after), certificate.serial});
    Json json = CertificateJson(certificate);
    json.update({{"state", state}, {"days_left", entry.days_left}});
    list.push_back(std::move(json));
  }
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"certificates", list}});
  } else {
    PrintText(table.Render(MayDecorate(STDOUT_FILENO)));
  }
  return kExitDone;
}

int Show(const PkiOptions& options) {
  auto pem = security::ReadFile(options.file);
  if (!pem) return Report(pem.error());
  auto certificate = security::ParseCertificatePem(*pem);
  if (!certificate) {
    return Report({certificate.error().code, options.file + ": " + certificate.error().message});
  }
  PrintCertificate(*certificate, options.output);
  return kExitDone;
}

}  // namespace

void AddPkiCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* pki = app.add_subcommand("pki", "Make a CA; issue, list, renew and revoke certificates");
  pki->require_subcommand(1);
  auto options = std::make_shared<PkiOptions>();
  auto add = [&](const std::string& name, const std::string& description, const std::string& examples,
                 int (*action)(const PkiOptions&)) {
    CLI::App* command = AddCommand(*pki, invocation, name, description, examples, [=] { return action(*options); });
    AddOutputFlag(*command, &options->output);
    return command;
  };
  auto add_dir = [&](CLI::App* command) {
    command->add_option("--dir", options->dir, "The CA's directory")->required();
  };
  CLI::App* init =
      add("init", "Make a certificate authority", "  strife pki init --dir ca --trust-domain example.org", Init);
  add_dir(init);
  init->add_option("--trust-domain", options->trust_domain, "First part of every identity [strife.local]");
  init->add_option("--lifetime", options->lifetime, "How long the CA is valid [3650d]");

  CLI::App* issue = add("issue", "Issue a certificate for a role",
                        "  strife pki issue bank bank7 --dir ca --dns bank7.example.org --ip 10.0.0.7\n"
                        "  strife pki issue client alice --dir ca --lifetime 30d",
                        Issue);
  issue->add_option("ROLE", options->role, "gateway, bank, client or operator")->required();
  issue->add_option("NAME", options->name, "Name of the holder; a bank's is its id")->required();
  add_dir(issue);
  issue->add_option("--lifetime", options->lifetime, "How long it is valid [90d]");
  issue->add_option("--dns", options->dns_names, "Host name of a server; may be repeated [localhost]");
  issue->add_option("--ip", options->ip_addresses, "Address of a server; may be repeated [127.0.0.1]");

  add_dir(add("list", "List all certificates with their state", "  strife pki list --dir ca", List));

  CLI::App* renew =
      add("renew", "Issue a certificate anew, with a new key", "  strife pki renew bank7 --dir ca", Renew);
  renew->add_option("NAME", options->name, "Name of the holder")->required();
  add_dir(renew);
  renew->add_option("--lifetime", options->lifetime, "How long it is valid [as before]");

  CLI::App* revoke = add("revoke", "Put certificates on the revocation list",
                         "  strife pki revoke bank7 --dir ca\n  strife pki revoke 4f3a09b2c1 --dir ca", Revoke);
  revoke->add_option("NAME|SERIAL", options->name, "All of a holder's, or the one with the serial")->required();
  add_dir(revoke);

  CLI::App* show = add("show", "Show whose certificate a file is", "  strife pki show net/certs/bank1.crt", Show);
  show->add_option("FILE", options->file, "Certificate, PEM")->required();
}

}  // namespace strife::cli
