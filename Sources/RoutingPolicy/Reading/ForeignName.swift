/// An option that other programs call by another name.
///
/// Sources: LiteLLM's `config.yaml` (model_list, litellm_params, router_settings, general_settings) and its
/// `model_prices_and_context_window.json`; the configuration references of Portkey, Bifrost, opencode, LibreChat,
/// Continue and llama-swap; OpenAI's and OpenRouter's request fields.
struct ForeignName: Sendable {
    let section: String
    let option: String
    /// What to write, if it is more than the option's name.
    let written: String?
    /// What to do instead, in words, where no option is meant; `option` is empty then.
    let words: String?

    /// Whether it is only another name of the option.
    var isName: Bool { words == nil && written == nil }

    private init(_ section: String, _ option: String, _ written: String? = nil) {
        (self.section, self.option, self.written, words) = (section, option, written, nil)
    }

    private init(_ section: String, words: String) {
        (self.section, self.words, option, written) = (section, words, "", nil)
    }

    /// A name without case, `_` and `-`: `apiBase`, `API_BASE` and `api-base` are one.
    static func form(of name: String) -> String {
        String(name.lowercased().filter { $0 != "_" && $0 != "-" })
    }

    /// As messages continue after `unknown key 'x'; `.
    ///
    /// - Parameters:
    ///   - section: the section that has the key.
    ///   - isInside: whether the option's section may be inside of that one.
    ///   - place: where an option of a section is written.
    func advice(in section: String, isInside: Bool, place: (String, String) -> String) -> String {
        if let words { return words }
        if self.section == section { return written.map { "write '\($0)'" } ?? "did you mean '\(option)'?" }
        let isNested = !Self.named.contains(self.section)
        if let written { return "write '\(written)' \(place(self.section, option))" }
        return isNested
            ? "write '\(self.section): { \(option): … }'" + (isInside ? "" : " \(place(self.section, ""))")
            : "it is '\(option)' here, and belongs \(place(self.section, option))"
    }

    /// The sections that are not written as `section: { … }` where the foreign name is.
    private static let named: Set = ["", "providers", "models", "routes", "keys", "step"]

    /// The capability that other programs call by another name; nil if there is none.
    static func capability(named name: String) -> String? {
        let written = table[form(of: name)]?.first { $0.option == "supports" && $0.written != nil }?.written
        return written.map { String($0.dropFirst("supports: [".count).dropLast()) }
    }

    /// By the name's form. A name may mean several options.
    static let table: [String: [ForeignName]] = {
        var table: [String: [ForeignName]] = [:]
        for (name, forms) in names {
            for form in forms.split(separator: " ") { table[String(form), default: []].append(name) }
        }
        return table
    }()

    private static let names: [(ForeignName, String)] = [
        (
            ForeignName("providers", "base_url"),
            "apibase apiurl apiendpoint endpoint url uri baseuri baseurl openaiapibase openaibaseurl serverurl host azureendpoint"
        ),
        (
            ForeignName("providers", "api_key"),
            "key apikey apitoken token accesstoken authtoken auth bearer authorization secret password openaiapikey virtualkey"
        ),
        (
            ForeignName("providers", "api_key", "api_key: \"${NAME}\""),
            "envkey apikeyenv apikeyenvvar apikeyenvvarname apikeyname apikeyvar apikeyfile keyenv envvar env tokenenv"
        ),
        (
            ForeignName("providers", "headers", "headers: { OpenAI-Organization: … }"),
            "organization organizationid org orgid openaiorganization openaiorgid"
        ),
        (ForeignName("providers", "headers", "headers: { OpenAI-Project: … }"), "project projectid openaiproject"),
        (
            ForeignName("providers", words: "remove it: the version is part of the path in 'base_url'"),
            "apiversion openaiapiversion"
        ),
        (
            ForeignName(
                "providers", words: "remove it: certificates are always verified; SSL_CERT_FILE names a file of further authorities"),
            "cafile cacert cabundle sslcafile verifyssl sslverify verify insecure insecureskipverify tlsskipverify skiptlsverify tlsverify rejectunauthorized"
        ),
        (
            ForeignName("providers", words: "remove it: the router connects to providers directly"),
            "proxy proxyurl httpproxy httpsproxy httpclientproxy"
        ),
        (
            ForeignName("providers", words: "remove it: models are listed under 'models' at the top of the file"), "models modellist"
        ),
        (
            ForeignName("providers", words: "remove it: an entry that is not wanted is removed from the file"),
            "enabled disabled disable active isactive"
        ),
        (ForeignName("providers", "base_url", "base_url: https://NAME.openai.azure.com"), "resourcename azureresourcename"),
        (ForeignName("providers", words: "a budget belongs under a key: write 'budget: { usd: …, per: month }' there"), "quota budget"),
        (
            ForeignName("providers", words: "it is a field of requests: write it under 'request_overrides' of a model"),
            "only ignore sort datacollection allowfallbacks requireparameters quantizations zdr"
        ),
        (
            ForeignName("providers", words: "remove it: the fields of a request are passed on as they are"),
            "passthrough dropparams openaicompat"
        ),
        (ForeignName("providers", words: "write 'tags: [free]' under its models, and 'select: { tags: free }' in a route"), "free isfree"),
        (
            ForeignName("models", words: "write what is in it under the model itself, and 'api_base' and 'api_key' under its provider"),
            "litellmparams"
        ),
        (
            ForeignName(
                "models", words: "write what is in it under the model itself: 'context', 'max_output', 'price' and 'supports' are options"),
            "modelinfo"
        ),
        (
            ForeignName("models", words: "remove it: the fields of a request are passed on as they are"),
            "dropparams additionaldropparams allowedopenaiparams modifyparams"
        ),
        (
            ForeignName("models", words: "remove it: the key of its entry is the name; the provider's own name is 'upstream'"),
            "modelname name displayname title label"
        ),
        (
            ForeignName("models", words: "another name of a model is a route: write 'routes: { NAME: { try: [MODEL] } }' at the top"),
            "alias aliases modelalias"
        ),
        (
            ForeignName("models", words: "remove it: the order of 'try' in a route says which model comes first"), "priority rank order"
        ),
        (
            ForeignName("models", words: "remove the model's entry to turn it off; 'hidden: true' leaves it out of lists"),
            "enabled disabled disable active isactive blocked"
        ),
        (
            ForeignName("models", words: "remove it: the router adds no messages; the client sends them"),
            "systemprompt system prompt systemmessage prompttemplate instructions"
        ),
        (
            ForeignName("models", words: "limits are per minute: write 'limits: { requests_per_minute: … }'"),
            "rpd requestsperday tpd tokensperday rph rps requestspersecond requestsperhour"
        ),
        (ForeignName("models", words: "remove it: the client decides whether its response is streamed"), "stream streaming"),
        (ForeignName("providers", words: "remove it: the client decides whether its response is streamed"), "stream streaming"),
        (ForeignName("defaults", words: "remove it: the client decides whether its response is streamed"), "stream streaming"),
        (ForeignName("providers", "plugin"), "type kind driver adapter provider providertype customllmprovider vendor apitype format"),
        (ForeignName("providers", "headers"), "extraheaders defaultheaders customheaders httpheaders requestheaders"),
        (
            ForeignName("models", "upstream"),
            "model modelid id upstreammodel upstreamname deployment deploymentid deploymentname engine realname basemodel"
        ),
        (ForeignName("models", "provider"), "customllmprovider vendor service backend providername plugin providerid"),
        (ForeignName("models", "max_output"), "maxtokens maxoutputtokens maxcompletiontokens maxnewtokens outputlimit numpredict"),
        (
            ForeignName("models", "context"),
            "contextwindow contextlength contextsize contextlimit maxcontext maxinputtokens maxmodellen numctx nctx ctx ctxsize inputlimit"
        ),
        (
            ForeignName("models", "supports", "supports: [tools]"),
            "functioncalling supportsfunctioncalling supportstools supportstoolcalling supportsparallelfunctioncalling toolcalling "
                + "toolcall tools"
        ),
        (ForeignName("models", "supports", "supports: [image]"), "vision supportsvision supportsimage supportsimages image images"),
        (
            ForeignName("models", "supports", "supports: [json]"),
            "supportsresponseschema supportsjson responseformat jsonmode structuredoutput structuredoutputs json"
        ),
        (ForeignName("models", "supports", "supports: [audio]"), "supportsaudio supportsaudioinput audio"),
        (ForeignName("models", "supports", "supports: [reasoning]"), "reasoning supportsreasoning thinking"),
        (ForeignName("models", "supports", "supports: [video]"), "supportsvideo supportsvideoinput video"),
        (ForeignName("models", "supports", "supports: [file]"), "supportspdf supportspdfinput supportsfile pdf file files"),
        (ForeignName("models", "supports"), "capabilities features modalities inputmodalities"),
        (ForeignName("models", "serves", "serves: [OPERATION]"), "mode task tasks operations"),
        (ForeignName("models", "serves", "serves: [embeddings]"), "embedding embeddings"),
        (ForeignName("models", "price"), "cost costs pricing prices"),
        (
            ForeignName("models", "request_defaults"), "params parameters defaultparams defaults extrabody modelkwargs options"
        ),
        (
            ForeignName("models", "request_defaults", "request_defaults: { temperature: … }"), "temperature"
        ),
        (ForeignName("price", "input"), "inputcostpertoken inputcost inputprice prompt promptprice costperinputtoken"),
        (ForeignName("price", "output"), "outputcostpertoken outputcost outputprice completion completionprice costperoutputtoken"),
        (ForeignName("price", "cached_input"), "cachereadinputtokencost cacheread cached cachedprice inputcacheread"),
        (ForeignName("price", "cache_write"), "cachecreationinputtokencost cachewrite cachecreation inputcachewrite"),
        (ForeignName("limits", "requests_per_minute"), "rpm rpmlimit maxrpm ratelimit ratelimits requestsperminute"),
        (ForeignName("limits", "tokens_per_minute"), "tpm tpmlimit maxtpm tokensperminute"),
        (
            ForeignName("limits", "concurrent"),
            "maxparallelrequests parallelrequests maxconcurrent maxconcurrency concurrency parallel concurrencylimit maxconnections"
        ),
        (
            ForeignName("limits", words: "limits are per minute; for longer, a key has 'budget: { tokens: …, per: day }'"),
            "rpd requestsperday tpd tokensperday rph requestsperhour tokensperhour rps requestspersecond"
        ),
        (ForeignName("retry", "retries"), "numretries maxretries retrycount retrytimes attempts maxattempts"),
        (
            ForeignName("retry", words: "write 'failover: { 429: retry }' beside 'retry'"),
            "onstatuscodes statuscodes retryon retryonstatus on"
        ),
        (ForeignName("retry", "delay"), "retrydelay retryafter retryinterval backoff"),
        (ForeignName("timeouts", "total"), "timeout requesttimeout timeoutsecs timeoutseconds timeoutms"),
        (ForeignName("timeouts", "first_content"), "streamtimeout ttft ttfttimeout"),
        (ForeignName("timeouts", "connect"), "connecttimeout connectiontimeout"),
        (ForeignName("breaker", "cooldown"), "cooldowntime cooldownperiod cooldownseconds"),
        (ForeignName("breaker", "failures"), "allowedfails failurethreshold threshold errorthreshold maxfails maxfailures maxerrors"),
        (ForeignName("routes", "try"), "models model modelname targets candidates steps members primary modellist deployments"),
        (ForeignName("defaults", "fallback"), "fallbacks fallbackmodels fallbackmodel defaultfallbacks backup backups"),
        (ForeignName("routes", "fallback"), "fallbacks fallbackmodels fallbackmodel defaultfallbacks backup backups"),
        (
            ForeignName("fallback_on", "context_overflow"),
            "contextwindowfallbacks contextwindow contextlength contextwindowexceeded contextlengthexceeded context"
        ),
        (
            ForeignName(
                "fallback_on", words: "remove it: after every other failure, the next model of 'try' and then 'fallback' is called"),
            "ratelimit ratelimits ratelimited toomanyrequests timeout servererror upstreamerror error errors any all default"
        ),
        (ForeignName("fallback_on", "content_filter"), "contentpolicyfallbacks contentpolicy contentpolicyviolation moderation"),
        (ForeignName("hedge", "after"), "delay hedgeafter hedgedelay timeout"),
        (
            ForeignName("failover", "rate_limited"),
            "ratelimit ratelimits ratelimiterror ratelimitexceeded ratelimiterrorretries toomanyrequests"
        ),
        (ForeignName("failover", "upstream_error"), "servererror internalservererror internalservererrorretries"),
        (ForeignName("failover", "provider_rejected"), "authenticationerror authenticationerrorretries unauthorized forbidden"),
        (ForeignName("failover", "client_error"), "badrequest badrequesterror badrequesterrorretries invalidrequesterror"),
        (ForeignName("failover", "unreachable"), "connectionerror apiconnectionerror"),
        (ForeignName("failover", "timeout"), "timeouterror timeouterrorretries"),
        (ForeignName("failover", "content_filter"), "contentpolicyviolationerror contentpolicyviolationerrorretries"),
        (ForeignName("routes", words: "write 'weight' under each model, and 'order: weighted' beside 'select'"), "weight weights"),
        (ForeignName("step", "order"), "routingstrategy strategy algorithm selectionmode loadbalancing balance mode"),
        (ForeignName("when", "use"), "route routeto target then to goto destination"),
        (
            ForeignName("when", words: "remove it: the model asked for is the name of the route, and 'use' names the other one"),
            "model models"
        ),
        (ForeignName("budget", "usd"), "max maxbudget amount limit dollars cost maxusd"),
        (ForeignName("budget", "per"), "duration budgetduration period interval reset resetinterval timeperiod"),
        (ForeignName("keys", "secret"), "key apikey token accesstoken authtoken password value virtualkey masterkey"),
        (ForeignName("keys", "sha256"), "hash keyhash secrethash"),
        (ForeignName("keys", "budget", "budget: { tokens: …, per: day }"), "tpd tokensperday dailytokens tokenbudget"),
        (ForeignName("keys", "budget", "budget: { usd: …, per: month }"), "maxbudget softbudget budgetduration budgetlimit spend"),
        (ForeignName("keys", "expires"), "duration expiry expiration expiresat validuntil"),
        (ForeignName("keys", "metadata", "metadata: { team: … }"), "teamid userid"),
        (ForeignName("keys", words: "remove it: the key of its entry is the name"), "keyalias keyname name alias"),
        (ForeignName("listen", "address", "address: HOST:PORT"), "host hostname bind ip port addr"),
        (ForeignName("server", words: "write 'listen: HOST:PORT' at the top of the file"), "host hostname bind ip port addr address"),
        (ForeignName("state", "redis"), "url uri redisurl host address"),
        (ForeignName("keys", "models"), "allowedmodels accessto"),
        (ForeignName("", "models"), "modellist modellists"),
        (ForeignName("", "providers"), "upstreams upstream backends backend services accounts provider"),
        (ForeignName("", "routes"), "groups modelgroups modelgroupalias aliases pools chains route"),
        (ForeignName("", words: "write 'routes: { auto: { try: [MODEL] } }'"), "defaultmodel model"),
        (
            ForeignName("defaults", words: "write 'routes: { auto: { try: [MODEL] } }' at the top of the file"),
            "defaultmodel model models"
        ),
        (
            ForeignName("keys.defaults", words: "write 'routes: { auto: { try: [MODEL] } }' at the top of the file"),
            "defaultmodel model models"
        ),
        (
            ForeignName("", words: "remove it: variables are set in the environment of the process, and '${NAME}' reads them"),
            "environmentvariables environment env envvars variables"
        ),
        (
            ForeignName("", words: "write 'log: { level: … }', which is info, notice, warning or error"),
            "loglevel logging logger verbose debug setverbose"
        ),
        (ForeignName("", words: "write 'log: { access: { format: json } }'"), "accesslog accesslogs requestlog"),
        (
            ForeignName("", words: "write 'telemetry: { otlp: { endpoint: http://HOST:4318 } }'"),
            "otel opentelemetry tracing traces observability"
        ),
        (ForeignName("", words: "remove it: GET /metrics is always there"), "metrics prometheus"),
        (ForeignName("telemetry", words: "remove it: GET /metrics is always there"), "metrics prometheus"),
        (ForeignName("", words: "remove it: the router keeps no responses"), "cache caching cacheparams semanticcache"),
        (ForeignName("", "keys"), "key apikeys virtualkeys masterkey users clients auth authentication"),
        (ForeignName("", "listen"), "port host bind address addr"),
        (
            ForeignName("", words: "write 'listen: { address: :8443, tls: { certificate: /FILE.pem, key: /FILE.pem } }'"),
            "tls ssl https sslcertfile sslkeyfile certificates"
        ),
        (ForeignName("", "defaults"), "routersettings litellmsettings settings"),
        (ForeignName("", "server"), "generalsettings"),
    ]
}
