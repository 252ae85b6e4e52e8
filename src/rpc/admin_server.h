// The operators' services, to be served beside the ones gateway and bank are there for.
#pragma once

#include <memory>

#include "rpc/admin_api.h"
#include "rpc/serve.h"

namespace strife::rpc {

// Everything referred to must outlive the service.
std::unique_ptr<ServedService> MakeGatewayAdminService(AdmissionOptions admission, GatewayAdminApi& api, Clock& clock);
std::unique_ptr<ServedService> MakeBankAdminService(AdmissionOptions admission, BankAdminApi& api, Clock& clock);

}  // namespace strife::rpc
