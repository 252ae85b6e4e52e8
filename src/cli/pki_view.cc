#include "cli/pki_view.h"

#include <unistd.h>

#include <algorithm>

#include "cli/duration.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

using security::AuthorityInfo;
using security::CertificateEntry;
using security::DescribedValue;
using security::Description;
using security::IssuedCertificate;

std::string ValueText(const DescribedValue& value) {
  struct Writer {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(bool yes) const { return yes ? "yes" : "no"; }
    std::string operator()(WallTime time) const { return FormatTime(time); }
    std::string operator()(const std::vector<std::string>& items) const {
      std::string all;
      for (const std::string& item : items) all += (all.empty() ? "" : " ") + item;
      return all.empty() ? "none" : all;
    }
  };
  return std::visit(Writer{}, value);
}

Json ValueJson(const DescribedValue& value) {
  struct Writer {
    Json operator()(const std::string& text) const { return text; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(bool yes) const { return yes; }
    Json operator()(WallTime time) const { return FormatTime(time); }
    Json operator()(const std::vector<std::string>& items) const { return items; }
  };
  return std::visit(Writer{}, value);
}

Json DescriptionJson(const Description& description) {
  Json json;
  for (const auto& [key, value] : description) json[key] = ValueJson(value);
  return json;
}

std::string Label(std::string key) {
  std::ranges::replace(key, '_', ' ');
  return key;
}

}  // namespace

Json IssuedJson(const IssuedCertificate& certificate) {
  return {{"name", certificate.name},
          {"role", certificate.role},
          {"identity", certificate.identity},
          {"serial", certificate.serial},
          {"not_before", FormatTime(certificate.not_before)},
          {"not_after", FormatTime(certificate.not_after)},
          {"key_fingerprint", certificate.key_fingerprint}};
}

std::string IssuedText(const IssuedCertificate& certificate) {
  return RenderFields({{"identity", certificate.identity},
                       {"serial", certificate.serial},
                       {"valid from", FormatTime(certificate.not_before)},
                       {"valid until", FormatTime(certificate.not_after)},
                       {"key", certificate.key_fingerprint}});
}

Json ListJson(const AuthorityInfo& authority, const std::vector<CertificateEntry>& entries) {
  Json list = Json::array();
  for (const CertificateEntry& entry : entries) {
    Json json = IssuedJson(entry.certificate);
    json.update({{"state", std::string(security::CertificateStateName(entry.state))},
                 {"days_left", entry.days_left},
                 {"ends_soon", entry.ends_soon}});
    list.push_back(std::move(json));
  }
  return {
      {"authority",
       {{"name", authority.name},
        {"trust_domain", authority.trust_domain},
        {"root", authority.root},
        {"not_after", FormatTime(authority.not_after)},
        {"ends_soon", authority.ends_soon}}},
      {"revocation_list", {{"not_after", FormatTime(authority.list_until)}, {"ends_soon", authority.list_ends_soon}}},
      {"certificates", list}};
}

std::string ListText(const AuthorityInfo& authority, const std::vector<CertificateEntry>& entries) {
  Table table({{"name", Align::kLeft},
               {"role", Align::kLeft},
               {"state", Align::kLeft},
               {"days left", Align::kRight},
               {"valid until", Align::kLeft},
               {"serial", Align::kLeft}});
  for (const CertificateEntry& entry : entries) {
    const IssuedCertificate& certificate = entry.certificate;
    const std::string state(entry.ends_soon ? "ends soon" : security::CertificateStateName(entry.state));
    table.AddRow({certificate.name, certificate.role, state, std::to_string(entry.days_left),
                  FormatTime(certificate.not_after), certificate.serial});
  }
  return RenderFields({{authority.root ? "root CA" : "intermediate CA", authority.name},
                       {"trust domain", authority.trust_domain},
                       {"valid until", FormatTime(authority.not_after)},
                       {"list good until", FormatTime(authority.list_until)}}) +
         "\n" + table.Render(MayDecorate(STDOUT_FILENO));
}

std::vector<std::string> ListWarnings(const AuthorityInfo& authority, const std::vector<CertificateEntry>& entries,
                                      const std::string& dir) {
  std::vector<std::string> warnings;
  if (authority.ends_soon) {
    warnings.push_back("the CA itself ends at " + FormatTime(authority.not_after) + "; " +
                       (authority.root ? "make a new one and trust both until everything is reissued"
                                       : "have its request signed again by the root"));
  }
  if (authority.list_ends_soon) {
    warnings.push_back("the revocation list grows stale at " + FormatTime(authority.list_until) +
                       ", after which nobody is let in; sign it anew with strife pki crl --dir " + dir +
                       " and put it in place");
  }
  for (const CertificateEntry& entry : entries) {
    if (!entry.ends_soon) continue;
    warnings.push_back("the certificate of " + entry.certificate.name + " ends in " + std::to_string(entry.days_left) +
                       (entry.days_left == 1 ? " day" : " days") + "; strife pki renew " + entry.certificate.name +
                       " --dir " + dir);
  }
  return warnings;
}

Json DescriptionsJson(const std::vector<Description>& descriptions) {
  Json json = DescriptionJson(descriptions.front());
  Json others = Json::array();
  for (std::size_t i = 1; i < descriptions.size(); ++i) others.push_back(DescriptionJson(descriptions[i]));
  json["others"] = std::move(others);
  return json;
}

std::string DescriptionsText(const std::vector<Description>& descriptions) {
  std::string text;
  for (const Description& description : descriptions) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& [key, value] : description) fields.emplace_back(Label(key), ValueText(value));
    text += (text.empty() ? "" : "\n") + RenderFields(fields);
  }
  return text;
}

}  // namespace strife::cli
