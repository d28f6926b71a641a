#include "Dashboard.h"

// Clang has `#embed` as an extension in the C dialects before C23.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char page[] = {
#embed "Page/index.html"
};
static const unsigned char style[] = {
#embed "Page/style.css"
};
static const unsigned char charts[] = {
#embed "Page/charts.js"
};
static const unsigned char dom[] = {
#embed "Page/dom.js"
};
static const unsigned char format[] = {
#embed "Page/format.js"
};
static const unsigned char ledger[] = {
#embed "Page/ledger.js"
};
static const unsigned char lines[] = {
#embed "Page/lines.js"
};
static const unsigned char mainModule[] = {
#embed "Page/main.js"
};
static const unsigned char models[] = {
#embed "Page/models.js"
};
static const unsigned char overview[] = {
#embed "Page/overview.js"
};
static const unsigned char policy[] = {
#embed "Page/policy.js"
};
static const unsigned char requests[] = {
#embed "Page/requests.js"
};
static const unsigned char router[] = {
#embed "Page/router.js"
};
static const unsigned char routes[] = {
#embed "Page/routes.js"
};
static const unsigned char tester[] = {
#embed "Page/tester.js"
};
static const unsigned char usage[] = {
#embed "Page/usage.js"
};

#define HTML "text/html; charset=utf-8"
#define CSS "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

static const struct DashboardFile files[] = {
    {"index.html", HTML, page, sizeof page},
    {"style.css", CSS, style, sizeof style},
    {"charts.js", SCRIPT, charts, sizeof charts},
    {"dom.js", SCRIPT, dom, sizeof dom},
    {"format.js", SCRIPT, format, sizeof format},
    {"ledger.js", SCRIPT, ledger, sizeof ledger},
    {"lines.js", SCRIPT, lines, sizeof lines},
    {"main.js", SCRIPT, mainModule, sizeof mainModule},
    {"models.js", SCRIPT, models, sizeof models},
    {"overview.js", SCRIPT, overview, sizeof overview},
    {"policy.js", SCRIPT, policy, sizeof policy},
    {"requests.js", SCRIPT, requests, sizeof requests},
    {"router.js", SCRIPT, router, sizeof router},
    {"routes.js", SCRIPT, routes, sizeof routes},
    {"tester.js", SCRIPT, tester, sizeof tester},
    {"usage.js", SCRIPT, usage, sizeof usage},
};

const struct DashboardFile *const dashboardFiles = files;
const size_t dashboardFileCount = sizeof files / sizeof files[0];
