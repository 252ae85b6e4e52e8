// pki …: a certificate authority in a directory.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/output.h"
#include "cli/pki_view.h"
#include "security/describe.h"
#include "security/pki.h"
#include "security/secure_file.h"
#include "security/signing_request.h"

namespace strife::cli {
namespace {

using security::CertificateAuthority;

struct PkiOptions {
  std::string dir;
  OutputFormat output = OutputFormat::kTable;
  std::string trust_domain = "strife.local";
  std::string role;
  std::string name;
  std::string lifetime;
  std::string list_lifetime;
  std::string csr_file;
  std::string certificate_file;
  bool reuse_key = false;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::string file;
};

// The duration, or `otherwise` when none was given.
Result<Duration> DurationOr(const std::string& text, Duration otherwise) {
  return text.empty() ? otherwise : ParseDuration(text);
}

// The request's text, empty when none was given.
Result<std::string> ReadCsr(const PkiOptions& options) {
  if (options.csr_file.empty()) return std::string();
  return security::ReadFile(options.csr_file);
}

int PrintIssued(const security::IssuedCertificate& certificate, OutputFormat output) {
  if (output == OutputFormat::kJson) {
    PrintJson(IssuedJson(certificate));
  } else {
    PrintText(IssuedText(certificate));
  }
  return kExitDone;
}

int PrintMade(const CertificateAuthority& authority, const PkiOptions& options, const std::string& sentence) {
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"dir", options.dir}, {"trust_domain", authority.trust_domain()}});
  } else {
    PrintText(sentence + "\n");
  }
  return kExitDone;
}

int Init(const PkiOptions& options) {
  const auto lifetime = DurationOr(options.lifetime, security::kDefaultAuthorityLifetime);
  if (!lifetime) return ReportUsage(lifetime.error().message);
  const auto list_lifetime = DurationOr(options.list_lifetime, security::kDefaultRevocationListLifetime);
  if (!list_lifetime) return ReportUsage(list_lifetime.error().message);
  if (options.certificate_file.empty()) {
    const security::AuthorityOptions authority{options.trust_domain, *lifetime, *list_lifetime};
    const auto made = CertificateAuthority::Create(options.dir, authority, WallNow());
    if (!made) return Report(made.error());
    return PrintMade(*made, options,
                     "A certificate authority for " + made->trust_domain() + " is in " + options.dir +
                         "; keep ca.key there secret and give ca.crt and ca.crl to everybody.");
  }
  const auto pem = security::ReadFile(options.certificate_file);
  if (!pem) return Report(pem.error());
  const auto made = CertificateAuthority::Adopt(options.dir, *pem, *list_lifetime, WallNow());
  if (!made) return Report(made.error());
  return PrintMade(*made, options,
                   "An intermediate CA for " + made->trust_domain() + " is in " + options.dir +
                       "; everybody goes on trusting the root's ca.crt, and needs this ca.crl beside the root's.");
}

int Request(const PkiOptions& options) {
  const bool authority = options.role == security::kAuthorityRole;
  const auto role = security::ParseRole(options.role);
  if (!role && !authority) {
    return ReportUsage("\"" + options.role + "\" is not a role; write gateway, bank, client, operator or ca");
  }
  if (authority ? !security::IsIdentityName(security::Role::kClient, options.name)
                : !security::IsIdentityName(*role, options.name)) {
    return ReportUsage("\"" + options.name + "\" cannot be a name: use letters, digits, '.', '-' and '_'");
  }
  const std::filesystem::path dir = options.dir;
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return Report({ErrorCode::kStorage, "Cannot make the directory " + options.dir + ": " + error.message()});
  const std::string base = authority ? "ca" : options.name;
  const security::KeyRequestFiles files{dir / (base + ".key"), dir / (base + ".csr")};
  const auto fingerprint = security::WriteKeyRequest(files, options.role + " " + options.name, options.reuse_key);
  if (!fingerprint) return Report(fingerprint.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"key_file", files.key_file.string()},
               {"csr_file", files.request_file.string()},
               {"key_fingerprint", *fingerprint}});
  } else {
    PrintText("The key " + files.key_file.string() + " stays here. Give " + files.request_file.string() +
              " to the CA, which runs\n  strife pki issue " + options.role + " " + options.name + " --csr " + base +
              ".csr --dir …\nand tell it the key's fingerprint by another way, so that it can compare:\n  " +
              *fingerprint + "\n");
  }
  return kExitDone;
}

int IssueAuthority(const PkiOptions& options, const std::string& csr) {
  const auto lifetime = DurationOr(options.lifetime, security::kDefaultIntermediateLifetime);
  if (!lifetime) return ReportUsage(lifetime.error().message);
  if (csr.empty()) return ReportUsage("a CA's key never leaves its directory: give its request with --csr");
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  const auto issued = authority->IssueAuthority(options.name, csr, *lifetime, WallNow());
  if (!issued) return Report(issued.error());
  return PrintIssued(*issued, options.output);
}

int Issue(const PkiOptions& options) {
  auto csr = ReadCsr(options);
  if (!csr) return Report(csr.error());
  if (options.role == security::kAuthorityRole) return IssueAuthority(options, *csr);
  const auto role = security::ParseRole(options.role);
  if (!role) {
    return ReportUsage("\"" + options.role + "\" is not a role; write gateway, bank, client, operator or ca");
  }
  const auto lifetime = DurationOr(options.lifetime, security::kDefaultCertificateLifetime);
  if (!lifetime) return ReportUsage(lifetime.error().message);
  security::CertificateRequest request{.role = *role, .name = options.name, .lifetime = *lifetime};
  // Whoever says where the server is reached does not mean this machine besides.
  if (!options.dns_names.empty() || !options.ip_addresses.empty()) {
    request.dns_names = options.dns_names;
    request.ip_addresses = options.ip_addresses;
  }
  request.request_pem = *std::move(csr);
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  const auto issued = authority->Issue(request, WallNow());
  if (!issued) return Report(issued.error());
  return PrintIssued(*issued, options.output);
}

int Renew(const PkiOptions& options) {
  const auto csr = ReadCsr(options);
  if (!csr) return Report(csr.error());
  const auto lifetime = DurationOr(options.lifetime, Duration::zero());
  if (!lifetime) return ReportUsage(lifetime.error().message);
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  const auto certificate = authority->Renew(options.name, *lifetime, *csr, WallNow());
  if (!certificate) return Report(certificate.error());
  return PrintIssued(*certificate, options.output);
}

int Revoke(const PkiOptions& options) {
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  const auto revoked = authority->Revoke(options.name, WallNow());
  if (!revoked) return Report(revoked.error());
  if (options.output == OutputFormat::kJson) {
    Json list = Json::array();
    for (const auto& certificate : *revoked) list.push_back(IssuedJson(certificate));
    PrintJson({{"revoked", list}});
    return kExitDone;
  }
  for (const auto& certificate : *revoked) {
    PrintText("revoked " + certificate.serial + " of " + certificate.identity + "\n");
  }
  PrintText("It counts wherever the new ca.crl of " + options.dir + " has been put in place.\n");
  return kExitDone;
}

int RenewList(const PkiOptions& options) {
  const auto lifetime = DurationOr(options.lifetime, Duration::zero());
  if (!lifetime) return ReportUsage(lifetime.error().message);
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  if (Status renewed = authority->RefreshRevocationList(*lifetime, WallNow()); !renewed) return Report(renewed.error());
  const auto info = authority->Info(WallNow());
  if (!info) return Report(info.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson({{"not_after", FormatTime(info->list_until)}});
  } else {
    PrintText("The revocation list of " + options.dir + " is good until " + FormatTime(info->list_until) +
              "; put ca.crl in place where it is used.\n");
  }
  return kExitDone;
}

int List(const PkiOptions& options) {
  auto authority = CertificateAuthority::Open(options.dir);
  if (!authority) return Report(authority.error());
  const auto info = authority->Info(WallNow());
  if (!info) return Report(info.error());
  const auto entries = authority->List(WallNow());
  if (!entries) return Report(entries.error());
  if (options.output == OutputFormat::kJson) {
    PrintJson(ListJson(*info, *entries));
  } else {
    PrintText(ListText(*info, *entries));
  }
  for (const std::string& warning : ListWarnings(*info, *entries, options.dir)) PrintError(warning);
  return kExitDone;
}

int Show(const PkiOptions& options) {
  const auto pem = security::ReadFile(options.file);
  if (!pem) return Report(pem.error());
  const auto descriptions = security::Describe(*pem, WallNow());
  if (!descriptions) return Report({descriptions.error().code, options.file + ": " + descriptions.error().message});
  if (options.output == OutputFormat::kJson) {
    PrintJson(DescriptionsJson(*descriptions));
  } else {
    PrintText(DescriptionsText(*descriptions));
  }
  return kExitDone;
}

// Adds the subcommands to `pki`, all of which share one set of options.
class PkiCommands {
 public:
  PkiCommands(CLI::App& pki, Invocation& invocation) : pki_(pki), invocation_(invocation) {}

  void AddMaking();
  void AddIssuing();
  void AddKeeping();

 private:
  CLI::App* Add(const std::string& name, const std::string& description, const std::string& examples,
                int (*action)(const PkiOptions&)) {
    CLI::App* command = AddCommand(pki_, invocation_, name, description, examples,
                                   [=, options = options_] { return action(*options); });
    AddOutputFlag(*command, &options_->output);
    return command;
  }
  void AddDir(CLI::App* command, const std::string& help = "The CA's directory") {
    command->add_option("--dir", options_->dir, help)->required();
  }
  void AddLifetime(CLI::App* command, const std::string& help) {
    command->add_option("--lifetime", options_->lifetime, help);
  }

  CLI::App& pki_;
  Invocation& invocation_;
  std::shared_ptr<PkiOptions> options_ = std::make_shared<PkiOptions>();
};

void PkiCommands::AddMaking() {
  CLI::App* init = Add("init", "Make a certificate authority",
                       "  strife pki init --dir ca --trust-domain example.org\n"
                       "\nAn intermediate, whose root stays offline:\n"
                       "  strife pki request ca issuing1 --dir issuing\n"
                       "  strife pki issue ca issuing1 --csr issuing/ca.csr --dir root     (where the root is)\n"
                       "  strife pki init --dir issuing --certificate root/issuing1.crt",
                       Init);
  AddDir(init);
  init->add_option("--trust-domain", options_->trust_domain, "First part of every identity [strife.local]");
  AddLifetime(init, "How long the CA is valid [3650d]");
  init->add_option("--crl-lifetime", options_->list_lifetime, "How long each revocation list is good for [30d]");
  init->add_option("--certificate", options_->certificate_file,
                   "Make an intermediate of the certificate a root has issued for DIR/ca.csr");

  CLI::App* request = Add("request", "Make a key that stays here, and a request to have it certified",
                          "  strife pki request bank bank7 --dir certs\n"
                          "  strife pki request bank bank7 --dir certs --reuse-key     (to renew with the same key)",
                          Request);
  request->add_option("ROLE", options_->role, "gateway, bank, client or operator; ca for an intermediate CA")
      ->required();
  request->add_option("NAME", options_->name, "Name of the holder; a bank's is its id")->required();
  AddDir(request, "Where NAME.key and NAME.csr go; ca.key and ca.csr for a CA");
  request->add_flag("--reuse-key", options_->reuse_key, "Use the key that is there");
}

void PkiCommands::AddIssuing() {
  CLI::App* issue = Add("issue", "Issue a certificate for a role",
                        "  strife pki issue bank bank7 --dir ca --dns bank7.example.org --ip 10.0.0.7\n"
                        "  strife pki issue bank bank7 --dir ca --csr bank7.csr --dns bank7.example.org\n"
                        "  strife pki issue client alice --dir ca --lifetime 30d\n"
                        "\nOf a request only the key is taken; compare its fingerprint with the holder's.",
                        Issue);
  issue->add_option("ROLE", options_->role, "gateway, bank, client or operator; ca for an intermediate CA")->required();
  issue->add_option("NAME", options_->name, "Name of the holder; a bank's is its id")->required();
  AddDir(issue);
  AddLifetime(issue, "How long it is valid [90d; 1825d for a CA]");
  issue->add_option("--csr", options_->csr_file, "A request with the holder's key [a key is made]");
  issue->add_option("--dns", options_->dns_names, "Host name of a server; may be repeated [localhost and 127.0.0.1]");
  issue->add_option("--ip", options_->ip_addresses, "Address of a server; may be repeated");

  CLI::App* renew = Add("renew", "Issue a certificate anew for the same holder",
                        "  strife pki renew bank7 --dir ca\n"
                        "  strife pki renew bank7 --dir ca --csr bank7.csr\n"
                        "\nA key that was made here is replaced too; one that came as a request stays, or is replaced\n"
                        "by that of a new request.",
                        Renew);
  renew->add_option("NAME", options_->name, "Name of the holder")->required();
  AddDir(renew);
  AddLifetime(renew, "How long it is valid [as before]");
  renew->add_option("--csr", options_->csr_file, "A request with the holder's new key");
}

void PkiCommands::AddKeeping() {
  AddDir(Add("list", "List all certificates with their state, and what ends soon", "  strife pki list --dir ca", List));

  CLI::App* revoke = Add("revoke", "Put certificates on the revocation list",
                         "  strife pki revoke bank7 --dir ca\n  strife pki revoke 4f3a09b2c1 --dir ca", Revoke);
  revoke->add_option("NAME|SERIAL", options_->name, "All of a holder's, or the one with the serial")->required();
  AddDir(revoke);

  CLI::App* crl = Add("crl", "Sign the revocation list anew, before it grows stale",
                      "  strife pki crl --dir ca\n  strife pki crl --dir ca --lifetime 7d", RenewList);
  AddDir(crl);
  AddLifetime(crl, "How long it is good for [as before]");

  CLI::App* show = Add("show", "Show what a file of certificates, revocation lists or requests says",
                       "  strife pki show net/certs/bank1.crt\n  strife pki show net/certs/ca.crl", Show);
  show->add_option("FILE", options_->file, "PEM")->required();
}

}  // namespace

void AddPkiCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* pki = app.add_subcommand("pki", "Make a CA; request, issue, list, renew and revoke certificates");
  pki->require_subcommand(1);
  PkiCommands commands(*pki, invocation);
  commands.AddMaking();
  commands.AddIssuing();
  commands.AddKeeping();
}

}  // namespace strife::cli
