import Glibc

/// Writes configurations and starts servers with them.
struct Launcher {
    let options: Options
    let workspace: Workspace
    private let nginx: String
    private let upstreamPort: UInt16
    /// The library of Tests/LoadedProvider beside the router; nil if there is none.
    let plugin: String?

    init(_ options: Options, _ workspace: Workspace) throws {
        self.options = options
        self.workspace = workspace
        nginx = try Launcher.find(options.nginx)
        upstreamPort = try Socket.freePorts(1)[0]
        let library = realpath(options.router, nil).map { path in
            defer { free(path) }
            return String(cString: path).split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/libLoadedProvider.so"
        }
        plugin = library.flatMap { access($0, R_OK) == 0 ? $0 : nil }
        if !options.router.isEmpty, access(options.router, X_OK) != 0 {
            throw Failure(
                "no router at '\(options.router)'; build it with 'make build', set its path with --router, or skip it with --router \"\""
            )
        }
    }

    /// The servers to start. The mock is the first, because the others need it.
    var kinds: [Server.Kind] { options.router.isEmpty ? [.direct, .nginx] : Server.Kind.allCases }

    /// - Parameter folder: the name of the server's folder in the workspace. It may be reused after the server has
    ///   ended.
    func start(_ kind: Server.Kind, folder: String) throws -> Server {
        let folder = try workspace.makeFolder(folder)
        let port = kind == .direct ? upstreamPort : try Socket.freePorts(1)[0]
        let model = "mock-\(options.chunks)"
        let endpoint = Endpoint(port: port, key: Workspace.clientKey, model: kind == .router ? "auto" : model)
        switch kind {
        case .direct:
            return try Server(kind, ["/proc/self/exe", "upstream", "--port", "\(port)"], folder: folder, endpoint: endpoint)
        case .nginx:
            try Files.write(Workspace.nginxConfiguration(folder: folder, port: port, upstream: upstreamPort), to: "\(folder)/nginx.conf")
            return try Server(
                kind, [nginx, "-e", "\(folder)/errors.log", "-p", folder, "-c", "\(folder)/nginx.conf"], folder: folder, endpoint: endpoint)
        case .router:
            return try startRouter(Workspace.routes(port: port, upstream: upstreamPort, model: model, plugin: plugin), folder, endpoint)
        }
    }

    func startIdleRouter(folder: String) throws -> Server {
        let port = try Socket.freePorts(1)[0]
        return try startRouter(
            Workspace.idleRoutes(port: port), workspace.makeFolder(folder), Endpoint(port: port, key: Workspace.clientKey, model: "m1"))
    }

    /// - Parameter redisPort: that of the store, for the variants that need one.
    func startRouter(_ variant: RouterVariant, redisPort: UInt16 = 0) throws -> Server {
        let port = try Socket.freePorts(1)[0], folder = try workspace.makeFolder("router-\(variant.rawValue)")
        let extra =
            switch variant {
            case .memory: Workspace.counting(in: "memory")
            case .file: Workspace.counting(in: "{ file: \(folder)/state.db }")
            case .redis: Workspace.counting(in: "redis://127.0.0.1:\(redisPort)")
            case .exact: Workspace.counting(in: "{ redis: redis://127.0.0.1:\(redisPort), prefix: exact, lease: 0% }")
            case .unobserved: Workspace.unobserved
            case .observed: Workspace.observed(folder: folder, collector: upstreamPort)
            }
        let model = "mock-\(options.chunks)"
        return try startRouter(
            Workspace.variantRoutes(port: port, upstream: upstreamPort, model: model) + extra, folder,
            Endpoint(port: port, key: Workspace.clientKey, model: model))
    }

    /// Starts a Redis server that keeps its data in memory.
    func startRedis() throws -> (Child, port: UInt16) {
        let folder = try workspace.makeFolder("redis"), port = try Socket.freePorts(1)[0]
        let words = ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        do {
            return (try Child(words, output: "\(folder)/output.log", errors: "\(folder)/errors.log"), port)
        } catch {
            throw Failure("\(error); install it with 'make redis', or leave 'state' out of --only")
        }
    }

    private func startRouter(_ routes: String, _ folder: String, _ endpoint: Endpoint) throws -> Server {
        try Files.write(routes, to: "\(folder)/routes.yaml")
        return try Server(.router, [options.router, "serve", "\(folder)/routes.yaml"], folder: folder, endpoint: endpoint)
    }

    /// Debian installs nginx in /usr/sbin, which is not in every user's PATH.
    private static func find(_ name: String) throws -> String {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let candidates = name.contains("/") ? [name] : (path + ":/usr/sbin:/usr/local/sbin").split(separator: ":").map { "\($0)/\(name)" }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw Failure("no '\(name)' to compare with; install it with 'apt-get install nginx-light', or set its path with --nginx")
        }
        return found
    }
}
