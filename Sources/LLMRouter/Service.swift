import ArgumentParser
import Engine
import Gateway
import Glibc
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import RedisStore
import RoutingPolicy
import Telemetry
import UnixSignals

/// The running process: builds everything at the start, then handles signals until the shutdown.
struct Service {
    private let engine: Engine
    private let handler: GatewayHandler
    private let server: Server
    private let listeners: Listeners
    private let usage: UsageBook
    private let log: AccessLog
    private let spans: SpanExporter
    private let messages: LineWriter
    private let logger: Logger
    private let triggers: AsyncStream<ReloadTrigger>.Continuation
    private let reloads: Task<Void, Never>

    /// Reads the policy, builds everything and listens. Throws the exit code if the policy has errors, a
    /// `ResourceFailure` if it can't listen or keep uploads, and a `WatchedPolicySource.Failure` if it can't watch.
    ///
    /// - Parameter watches: whether a change of the policy's files reloads it.
    static func start(
        path: String, environmentFile: EnvironmentFile.Choice, watches: Bool, messages: LineWriter
    ) async throws -> Service {
        let threshold = MessageThreshold()
        let logger = Logger(label: "llm-router") { _ in StandardErrorLog(messages, threshold) }
        // Signals that stop a process by default and mean nothing here. A file that may not grow is like a full disk.
        for unused in [SIGPIPE, SIGUSR2, SIGALRM, SIGXFSZ] { signal(unused, SIG_IGN) }
        raiseOpenFileLimit()
        let watch = watches ? try WatchedPolicySource() : nil
        let load = timing(reading(path, environmentFile, watch, logger), logger)
        let report = load()
        guard let policy = report.policy else {
            Console.error(report.rendered())
            Console.error("llm-router: not started; fix the file and check it with 'llm-router check \(ShellWord(path))'")
            throw ExitCode(78)
        }
        threshold.follow(policy)
        if !report.issues.isEmpty { logger.warning("the policy has warnings", metadata: ["report": "\(report.rendered())"]) }

        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let tls = TLSContextProvider(settings: .ofEnvironment)
        if let problem = TLSSettings.ofEnvironment.problem { logger.warning("\(problem); correct it and restart the router") }
        let usage = try UsageBook(path: policy.state.file, logger: logger)
        let spent: EarlierSpending = { usage.spent(by: $0, from: $1, before: $2) }
        let shared = RedisStore(tls: .ofEnvironment, logger: logger)
        let snapshot = Snapshot.provision(policy, over: nil, spent: spent, at: Timestamp.seconds())
        let log = try LogOutput.open(policy.log.access, logger)
        let spans = SpanExporter(
            policy.telemetry.otlp, version: Version.number, host: Console.hostName,
            instance: TraceContext.hex(.random(in: .min ... .max)), eventLoop: group.next(), tls: tls, logger: logger)
        let engine = Engine(
            eventLoops: Array(group.makeIterator()), snapshot: snapshot, transport: UpstreamTransport(tls: tls), logger: logger,
            spent: spent, shared: shared, observer: { LoopTelemetry(log: log, usage: usage, spans: spans) })
        let (stream, triggers) = AsyncStream.makeStream(of: ReloadTrigger.self)
        let admin = AdminActions(
            version: Version.text,
            reload: { source in await withCheckedContinuation { triggers.yield(ReloadTrigger(source: source, reply: $0)) } },
            check: { text in
                let variables = EnvironmentFile(environmentFile, of: path, source: SystemPolicySource()).variables
                let snapshot = engine.store.current
                return PolicyFile.report(
                    posted: text, variables: variables, loaded: snapshot.policy.plugins,
                    hidden: snapshot.policy.text?.maskedValues(by: snapshot.mask))
            },
            usage: { try usage.sums(of: $0) })
        let handler = GatewayHandler(engine: engine, admin: admin)
        let server = Server(
            group: group, handler: handler, settings: ServerLimits(policy.server), budget: engine.budget, spool: engine.spool
        ) { limit in
            logger.warning(
                "out of file descriptors; new clients wait until a connection closes",
                metadata: [
                    "limit": "\(limit)", "next": "raise it: 'ulimit -n NUMBER' in the shell, or LimitNOFILE=NUMBER in the systemd unit",
                ])
        }
        let listeners = Listeners(server: server, logger: logger)
        handler.serves(server, certificates: { listeners.certificates })
        try await SpoolFolder().prepare(policy).commit()
        try await shared.prepare(policy).commit()
        await engine.readSharedBudgets()
        try await listeners.prepare(policy).commit()
        let reloader = Reloader(
            engine: engine,
            resources: [
                SpoolFolder(), UsageFile(book: usage), shared, LogOutput(log: log, threshold: threshold), TraceExport(exporter: spans),
                listeners,
            ],
            load: load, now: Timestamp.seconds,
            logger: logger)
        if let watch {
            Thread.detach {
                while true {
                    watch.waitForChanges()
                    triggers.yield(ReloadTrigger(source: "--watch"))
                }
            }
        }
        watchPlugins(engine.pluginWatch, logger)
        for plugin in policy.plugins {
            logger.notice("plugin loaded", metadata: ["plugin": "\(plugin.name)", "build": "\(plugin.build)", "file": "\(plugin.path)"])
        }
        logger.notice("serving", metadata: ["policy": "\(policy.summary(of: path))", "version": "\(Version.number)"])
        return Service(
            engine: engine, handler: handler, server: server, listeners: listeners, usage: usage, log: log, spans: spans,
            messages: messages, logger: logger, triggers: triggers, reloads: Task { await reloader.run(stream) })
    }

    /// Logs a load that takes long: the plugins' code is a part of it.
    private static func timing(_ load: @escaping @Sendable () -> PolicyReport, _ logger: Logger) -> @Sendable () -> PolicyReport {
        {
            let start = ContinuousClock.now
            let report = load()
            let duration = start.duration(to: .now)
            guard duration > .seconds(2), !report.plugins.isEmpty else { return report }
            logger.warning(
                "reading the policy took long",
                metadata: [
                    "milliseconds": "\(Int(duration / .milliseconds(1)))",
                    "plugins": "\(report.plugins.map(\.name).joined(separator: " "))",
                    "next": "a plugin may block in 'readOptions' or 'makeProvider', which a load calls for each of its providers",
                ])
            return report
        }
    }

    /// Reads the policy, and from then on watches the files that it read, and those of its listeners' certificates.
    private static func reading(
        _ path: String, _ environmentFile: EnvironmentFile.Choice, _ watch: WatchedPolicySource?, _ logger: Logger
    ) -> @Sendable () -> PolicyReport {
        guard let watch else { return { PolicyFile.report(path, environmentFile) } }
        let loader = PolicyFile.loader(watch, environmentFile)
        return {
            let report = watch.load {
                let report = loader.load(path: path)
                for tls in report.policy?.listen.compactMap(\.tls) ?? [] {
                    for file in [tls.certificate, tls.key, tls.clientCA] { if let file { watch.alsoWatch(file) } }
                }
                return report
            }
            if let failure = watch.failure { logger.warning("a part of the policy needs SIGHUP", metadata: ["reason": "\(failure)"]) }
            return report
        }
    }

    /// Logs plugins that keep an event loop. It has a thread of its own, because all event loops may be kept.
    private static func watchPlugins(_ plugins: PluginWatch, _ logger: Logger) {
        Thread.detach {
            while true {
                usleep(250_000)
                for finding in plugins.check(at: .now) {
                    logger.error(
                        finding.isOver ? "a plugin has kept an event loop" : "a plugin keeps an event loop; its other requests wait",
                        metadata: [
                            "plugin": "\(finding.plugin)", "provider": "\(finding.provider)", "method": "\(finding.hook)",
                            "milliseconds": "\(Int(finding.duration / .milliseconds(1)))",
                            "next": "report it to the author of the plugin, or remove it from 'plugins' and reload",
                        ])
                }
            }
        }
    }

    /// Handles signals until the process exits.
    func run(_ signals: UnixSignalsSequence) async {
        var shutdown: Task<Void, Never>?
        for await signal in signals {
            switch signal {
            case .sighup where shutdown != nil:
                logger.notice("SIGHUP ignored: the router is shutting down")
            case .sighup:
                triggers.yield(ReloadTrigger(source: "SIGHUP"))
            case .sigusr1:
                log.reopen()
            default:
                guard shutdown == nil else {
                    logger.notice("received a second signal, exiting at once")
                    messages.close(within: 100)
                    Console.exit(128 + signal.rawValue)
                }
                logger.notice("shutting down", metadata: ["signal": "\(signal)"])
                shutdown = Task { await stop() }
            }
        }
    }

    /// Shuts down: reports not ready, waits for `pre_stop`, closes the listeners, drains the running requests and
    /// exits. After `pre_stop` all of it takes at most `drain` and a second more.
    private func stop() async {
        let settings = engine.store.current.policy.server
        handler.becomeUnready()
        triggers.finish()
        try? await Task.sleep(for: settings.preStop)
        let drained = ContinuousClock.now + settings.drain
        Self.exit(at: drained + .seconds(1))
        handler.startDraining()
        await server.startDraining()
        await reloads.value
        await listeners.closeAll()
        if await !isIdle(until: drained) {
            logger.warning("the drain timeout ran out; ending the running requests", metadata: ["requests": "\(server.openExchanges)"])
            engine.shutDownCalls()
            await server.refuseIncompleteRequests(
                WireFault(503, "the router is shutting down; retry the request", code: "shutting_down"))
            _ = await isIdle(until: drained + .milliseconds(400))
        }
        await server.closeConnections()
        spans.flush()
        let flushed = min(ContinuousClock.now + .seconds(1), drained + .milliseconds(500))
        while !spans.isEmpty, ContinuousClock.now < flushed { try? await Task.sleep(for: .milliseconds(10)) }
        usage.close(within: Self.milliseconds(until: drained + .milliseconds(600)))
        log.close(within: Self.milliseconds(until: drained + .milliseconds(700)))
        logger.notice("stopped")
        messages.close(within: Self.milliseconds(until: drained + .milliseconds(900)))
        Console.exit(0)
    }

    /// The longest wait for the reader of a log at the end.
    private static let maxLogWait = Duration.seconds(2)

    private static func milliseconds(until time: ContinuousClock.Instant) -> Int {
        Int(max(.zero, min(time - .now, maxLogWait)) / .milliseconds(1))
    }

    /// Ends the process at `time`, whatever hangs until then: a reload, an event loop, a log that nobody reads.
    private static func exit(at time: ContinuousClock.Instant) {
        Thread.detach {
            while ContinuousClock.now < time { usleep(10_000) }
            _exit(0)
        }
    }

    /// Waits until no request is running. Returns false if some still are at `deadline`.
    private func isIdle(until deadline: ContinuousClock.Instant) async -> Bool {
        while server.openExchanges > 0 {
            if ContinuousClock.now >= deadline { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return true
    }

    /// Raises the limit on open files to the hard limit. Each client and each upstream connection needs a file
    /// descriptor, and the soft limit is often 1024.
    private static func raiseOpenFileLimit() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }
}
