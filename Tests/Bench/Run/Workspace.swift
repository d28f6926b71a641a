import Glibc

/// A temporary directory with one folder per started server, holding its configuration, its log and what it says on stderr.
struct Workspace {
    /// Any two keys do; the digests are theirs.
    static let clientKey = "sk-bench-client-4fQ2"
    private static let clientDigest = "b348d32c630a5e74a6b9fe96374b2c4188d5843eeffcff5ce2e4daf06fdd6c5a"
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

    /// Everything nginx writes stays in its folder. As root, its workers stay root, so that they reach the folder.
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

    /// Unused upstream connections are kept as long as nginx keeps them, so that neither begins a case with more of them.
    static func routes(port: UInt16, upstream: UInt16, model: String) -> String {
        """
        version: 1
        listen: 127.0.0.1:\(port)
        defaults:
          timeouts:
            pool_idle: 300s
        providers:
          mock:
            plugin: openai-compatible
            base_url: http://127.0.0.1:\(upstream)/v1
            api_key: sk-bench-upstream
        models:
          \(model):
            provider: mock
        routes:
          auto:
            try: [\(model)]
        \(keys)
        """
    }

    /// Twenty HTTPS providers that nobody calls.
    static func idleRoutes(port: UInt16) -> String {
        let numbers = 1...20
        return """
            version: 1
            listen: 127.0.0.1:\(port)
            providers:
            \(numbers.map { "  p\($0):\n    plugin: openai-compatible\n    base_url: https://p\($0).example.com/v1\n    api_key: sk-bench-\($0)" }.joined(separator: "\n"))
            models:
            \(numbers.map { "  m\($0):\n    provider: p\($0)" }.joined(separator: "\n"))
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
