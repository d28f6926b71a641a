import Glibc

/// A temporary directory with a folder for each server: its configuration, its access log and its standard error.
struct Workspace {
    /// The key that the loads send. `clientDigest` is its SHA-256; `otherDigest` is that of an unused key.
    static let clientKey = "sk-bench-client-4fQ2"
    private static let clientDigest = "afc37dde2393174e2fdfe4c62179f17b967daf7d487f47f0a26dc1bfcbbe1d45"
    private static let otherDigest = "2d463f900c63225985d602fb3211a0ff03f68af80d38354c62c357a81d14041b"

    let path: String

    init() throws {
        path = try Files.makeTemporaryDirectory()
    }

    func remove() {
        try? Child(["rm", "-rf", path], output: "/dev/null", errors: "/dev/null").wait()
    }

    func makeFolder(_ name: String) throws -> String {
        let folder = "\(path)/\(name)"
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw Failure.system("cannot make '\(folder)'") }
        return folder
    }

    /// A configuration that keeps all of nginx's files in its folder. If the benchmark runs as root, the workers do
    /// too, because they must have access to the folder.
    static func nginxConfiguration(folder: String, port: UInt16, upstream: UInt16) -> String {
        """
        \(geteuid() == 0 ? "user root;" : "")
        daemon off;
        worker_processes 2;
        worker_rlimit_nofile 16384;
        pid \(folder)/nginx.pid;
        error_log \(folder)/errors.log error;
        events { worker_connections 8192; }
        http {
            access_log \(folder)/access.log combined buffer=64k flush=1s;
            client_body_temp_path \(folder)/body;
            proxy_temp_path \(folder)/proxy;
            fastcgi_temp_path \(folder)/fastcgi;
            uwsgi_temp_path \(folder)/uwsgi;
            scgi_temp_path \(folder)/scgi;
            keepalive_requests 1000000000;
            keepalive_timeout 300s;
            upstream mock {
                server 127.0.0.1:\(upstream);
                keepalive 512;
                keepalive_requests 1000000000;
                keepalive_timeout 300s;
            }
            server {
                listen 127.0.0.1:\(port) backlog=4096;
                location / {
                    proxy_pass http://mock;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_buffering off;
                }
            }
        }

        """
    }

    /// A policy that keeps unused upstream connections as long as nginx does, so that both start a case with equally
    /// many.
    ///
    /// - Parameter plugin: a library with the plugin `loaded`; nil if there is none.
    static func routes(port: UInt16, upstream: UInt16, model: String, plugin: String?) -> String {
        let origin = "http://127.0.0.1:\(upstream)"
        var providers = StreamFormat.allCases.map { format in
            "  \(format.rawValue): { \(provider(of: format, origin)), api_key: sk-bench-upstream }"
        }
        var models = StreamFormat.allCases.map { format in
            let extra =
                switch format {
                case .openAI: "serves: [chat, embeddings]"
                case .responses: "formats: [openai-responses]"
                case .anthropic, .gemini, .ollama, .bedrock: "serves: [chat]"
                }
            return "  \(format.modelPrefix)\(model): { provider: \(format.rawValue), upstream: \(model), \(extra) }"
        }
        var routes = StreamFormat.allCases.map { "  \($0.modelPrefix)auto: { try: [\($0.modelPrefix)\(model)] }" }
        if plugin != nil {
            providers.append("  loaded: { plugin: loaded, base_url: \"\(origin)/v1\", api_key: sk-bench-upstream }")
            models.append("  \(loadedPrefix)\(model): { provider: loaded, upstream: \(model) }")
            routes.append("  \(loadedPrefix)auto: { try: [\(loadedPrefix)\(model)] }")
        }
        return """
            version: 1
            listen: 127.0.0.1:\(port)
            plugins: [\(plugin.map { "\"\($0)\"" } ?? "")]
            defaults:
              timeouts:
                pool_idle: 300s
            providers:
            \(providers.joined(separator: "\n"))
            models:
            \(models.joined(separator: "\n"))
            routes:
            \(routes.joined(separator: "\n"))
            \(keys)
            """
    }

    /// What the names of the models begin with whose provider is loaded from a library.
    static let loadedPrefix = "loaded-"

    private static func provider(of format: StreamFormat, _ origin: String) -> String {
        switch format {
        case .openAI: "plugin: openai-compatible, base_url: \"\(origin)/v1\""
        case .responses: "plugin: openai, base_url: \"\(origin)/v1\""
        case .anthropic, .gemini, .ollama: "plugin: \(format.rawValue), base_url: \"\(origin)\""
        case .bedrock: "plugin: bedrock, region: us-east-1, base_url: \"\(origin)\""
        }
    }

    /// A policy with one model, without keys.
    static func variantRoutes(port: UInt16, upstream: UInt16, model: String) -> String {
        """
        version: 1
        listen: 127.0.0.1:\(port)
        defaults: { timeouts: { pool_idle: 300s } }
        providers:
          mock: { plugin: openai-compatible, base_url: "http://127.0.0.1:\(upstream)/v1", api_key: sk-bench-upstream }
        models:
          \(model): { provider: mock, price: { input: 1, output: 1 } }

        """
    }

    /// A key with a limit and a budget that are never reached.
    static func counting(in state: String) -> String {
        """
        state: \(state)
        keys:
          client:
            sha256: \(clientDigest)
            limits: { requests_per_minute: 100000000 }
            budget: { usd: 1000000, per: month, hard: false }

        """
    }

    static let unobserved = """
        log: { access: { sample: 0 } }
        \(keys)
        """

    /// - Parameter collector: the port of the server that takes the traces.
    static func observed(folder: String, collector: UInt16) -> String {
        """
        log: { access: { format: json, file: \(folder)/access.log } }
        telemetry: { otlp: { endpoint: "http://127.0.0.1:\(collector)", sample: 0.01 } }
        \(keys)
        """
    }

    /// A policy with twenty HTTPS providers that are never called.
    static func idleRoutes(port: UInt16) -> String {
        let providers = (1...20).map {
            "  p\($0): { plugin: openai-compatible, base_url: https://p\($0).example.com/v1, api_key: sk-bench-\($0) }"
        }
        let models = (1...20).map { "  m\($0): { provider: p\($0) }" }
        return """
            version: 1
            listen: 127.0.0.1:\(port)
            providers:
            \(providers.joined(separator: "\n"))
            models:
            \(models.joined(separator: "\n"))
            \(keys)
            """
    }

    private static let keys = """
        keys:
          client:
            sha256: \(clientDigest)
          other:
            sha256: \(otherDigest)

        """
}
