/// An option that other programs call by another name.
///
/// Sources: LiteLLM's `config.yaml` (model_list, litellm_params, router_settings, general_settings) and its
/// `model_prices_and_context_window.json`; the configuration references of Portkey, Bifrost, opencode, LibreChat,
/// Continue and llama-swap; OpenAI's request fields.
struct ForeignName: Sendable {
    let section: String
    let option: String
    /// What to write, if it is more than the option's name.
    let written: String?

    private init(_ section: String, _ option: String, _ written: String? = nil) {
        self.section = section
        self.option = option
        self.written = written
    }

    /// A name without case, `_` and `-`: `apiBase`, `API_BASE` and `api-base` are one.
    static func form(of name: String) -> String {
        String(name.lowercased().filter { $0 != "_" && $0 != "-" })
    }

    /// As messages continue after `unknown key 'x'; `.
    ///
    /// - Parameters:
    ///   - section: the section that has the key.
    ///   - place: where an option of a section is written.
    func advice(in section: String, place: (String, String) -> String) -> String {
        if self.section == section { return written.map { "write '\($0)'" } ?? "did you mean '\(option)'?" }
        let isNested = !Self.named.contains(self.section)
        if let written { return "write '\(written)' \(place(self.section, option))" }
        return isNested
            ? "write '\(self.section): { \(option): … }'" : "it is '\(option)' here, and belongs \(place(self.section, option))"
    }

    /// The sections that are not written as `section: { … }` where the foreign name is.
    private static let named: Set = ["", "providers", "models", "routes", "keys", "step"]

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
        (ForeignName("providers", "plugin"), "type kind driver adapter provider providertype customllmprovider vendor apitype format"),
        (ForeignName("providers", "headers"), "extraheaders defaultheaders customheaders httpheaders requestheaders"),
        (ForeignName("models", "upstream"), "model modelid id upstreammodel upstreamname deployment deploymentid realname basemodel"),
        (ForeignName("models", "provider"), "customllmprovider vendor service backend providername plugin providerid"),
        (ForeignName("models", "max_output"), "maxtokens maxoutputtokens maxcompletiontokens maxnewtokens outputlimit numpredict"),
        (
            ForeignName("models", "context"),
            "contextwindow contextlength contextsize contextlimit maxcontext maxinputtokens maxmodellen numctx nctx ctxsize inputlimit"
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
        (ForeignName("models", "supports", "supports: [reasoning]"), "supportsreasoning thinking"),
        (ForeignName("models", "supports"), "capabilities features modalities inputmodalities"),
        (ForeignName("models", "serves", "serves: [embeddings]"), "mode embedding embeddings task tasks operations endpoints"),
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
        (ForeignName("limits", "requests_per_minute"), "rpm rpmlimit maxrpm ratelimit requestsperminute"),
        (ForeignName("limits", "tokens_per_minute"), "tpm tpmlimit maxtpm tokensperminute"),
        (
            ForeignName("limits", "concurrent"),
            "maxparallelrequests parallelrequests maxconcurrent maxconcurrency concurrency parallel concurrencylimit maxconnections"
        ),
        (ForeignName("retry", "retries"), "numretries maxretries retrycount retrytimes"),
        (ForeignName("retry", "delay"), "retrydelay retryafter retryinterval backoff"),
        (ForeignName("timeouts", "total"), "timeout requesttimeout timeoutsecs timeoutseconds timeoutms"),
        (ForeignName("timeouts", "first_content"), "streamtimeout ttft ttfttimeout"),
        (ForeignName("timeouts", "connect"), "connecttimeout connectiontimeout"),
        (ForeignName("breaker", "cooldown"), "cooldowntime cooldownperiod cooldownseconds"),
        (ForeignName("breaker", "failures"), "allowedfails failurethreshold maxfails maxfailures"),
        (ForeignName("routes", "try"), "models model modelname targets candidates steps members primary modellist deployments"),
        (ForeignName("routes", "fallback"), "fallbacks fallbackmodels fallbackmodel defaultfallbacks backup backups"),
        (ForeignName("fallback_on", "context_overflow"), "contextwindowfallbacks"),
        (ForeignName("fallback_on", "content_filter"), "contentpolicyfallbacks"),
        (ForeignName("step", "order"), "routingstrategy strategy algorithm selectionmode loadbalancing balance mode"),
        (ForeignName("keys", "secret"), "key apikey token accesstoken authtoken password value virtualkey masterkey"),
        (ForeignName("keys", "sha256"), "hash keyhash secrethash"),
        (ForeignName("keys", "models"), "allowedmodels accessto"),
        (ForeignName("", "models"), "modellist modellists"),
        (ForeignName("", "providers"), "upstreams upstream backends backend services accounts provider"),
        (ForeignName("", "routes"), "groups modelgroups modelgroupalias aliases pools fallbacks chains route"),
        (ForeignName("", "keys"), "apikeys virtualkeys masterkey users clients auth authentication"),
        (ForeignName("", "listen"), "port host bind address addr"),
        (ForeignName("", "defaults"), "routersettings litellmsettings settings"),
        (ForeignName("", "server"), "generalsettings"),
    ]
}
