import Codecs
import Demo
import Engine
import HTTPWire
import Logging
import NIOCore
import NIOPosix
import ProviderKit
import RoutingPolicy

/// The time to plan one request: the real planner on one event loop, with the models' state, for policies of growing
/// size.
struct PlanCost {
    static let sizes = [1, 10, 100, 1000]
    /// Conditions that keep all models, and every seventh.
    private static let selectors = ["supports: [tools]", "tags: t3"]
    /// What each route has beside its `try`, with the name for the table: nothing, conditions that don't hold, a memory
    /// of conversations, and both.
    private static let extras = [
        ("-", ""), ("when", conditions), ("sticky", "sticky: { by: prefix }, "), ("when, sticky", conditions + "sticky: { by: prefix }, "),
    ]
    private static let conditions = "when: [{ header: { x-class: \"sub*\" }, use: other }, { face: anthropic, use: other }], "
    private static let orders = [Order.listed, .weighted, .best, .roundRobin]
    private static let batches = 15
    private static let plansInBatch = 400

    var models: Int
    var selector: String
    var order: Order
    /// What else the routes have.
    var extra: String
    /// The median of the batches' means, in nanoseconds.
    var median: Double
    /// The least and the greatest of the batches' means, in nanoseconds.
    var range: ClosedRange<Double>

    static func measureAll() throws -> [PlanCost] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        return try sizes.flatMap { size in
            try selectors.prefix(size < 1000 ? 1 : selectors.count).flatMap { selector in
                try orders.map { try measure(size, selector, $0, extras[0], on: group.next()) }
            }
        }
            + extras.dropFirst().map { try measure(sizes[sizes.count - 1], selectors[0], .weighted, $0, on: group.next()) }
    }

    static func table(_ costs: [PlanCost]) -> String {
        let rows = costs.map { cost in
            let times = [cost.median, cost.range.lowerBound, cost.range.upperBound].map { decimal($0 / 1e3, 2) }
            return "| \(cost.models) | \(cost.selector) | \(cost.order.rawValue) | \(cost.extra) | \(times.joined(separator: " | ")) |"
        }
        return """

            Time to plan one request, with 100 routes, in µs:

            | models | selector | order | route | median | min | max |
            |---|---|---|---|---|---|---|
            \(rows.joined(separator: "\n"))

            """
    }

    private static func measure(
        _ size: Int, _ selector: String, _ order: Order, _ extra: (name: String, yaml: String), on eventLoop: any EventLoop
    ) throws -> PlanCost {
        let source = OneFile(text: policy(size, selector, order, extra.yaml))
        let report = PolicyLoader(plugins: [DemoPlugin.self], source: source).load(path: "bench.yaml")
        guard let policy = report.policy else { throw Failure("the benchmark's policy has errors:\n\(report.rendered())") }
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        let engine = Engine(
            eventLoops: [eventLoop], snapshot: snapshot, transport: UpstreamTransport(tls: TLSContextProvider(settings: TLSSettings())),
            logger: Logger(label: "bench"))
        return try eventLoop.submit { try measure(size, selector, order, extra.name, engine.loop(of: eventLoop), snapshot) }.wait()
    }

    private static func measure(
        _ size: Int, _ selector: String, _ order: Order, _ extra: String, _ loop: EngineLoop, _ snapshot: Snapshot
    ) throws -> PlanCost {
        let request = PlanRequest(
            models: ["r0"], needs: RequestNeeds(supports: [.tools], promptTokens: 1200, maxTokens: 500),
            traits: snapshot.readsTraits ? try conversation() : nil)
        var means: [Double] = []
        var planned = 0
        for _ in 0..<batches {
            let start = monotonicNow()
            for _ in 0..<plansInBatch { planned += try loop.plan(request, in: snapshot).tries.count }
            means.append(Double(monotonicNow() - start) / Double(plansInBatch))
        }
        guard planned > 0 else { throw Failure("the planner found no candidate") }
        means.sort()
        return PlanCost(
            models: size, selector: selector, order: order, extra: extra, median: means[means.count / 2],
            range: means[0]...means[means.count - 1])
    }

    /// A request of 1 KB.
    private static func conversation() throws -> RequestTraits {
        let text = String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 20)
        let body = ByteBuffer(string: #"{"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"\#(text)"}]}"#)
        return RequestTraits(
            fields: HTTPFields([(name: "content-type", value: "application/json"), (name: "x-class", value: "main")]), face: .openai,
            key: nil, isStream: false, body: body, members: try JSON.members(of: body.readableBytesSpan))
    }

    private static func policy(_ size: Int, _ selector: String, _ order: Order, _ extra: String) -> String {
        let models = (0..<size).map {
            "  m\($0): { provider: demo, tags: [t\($0 % 7)], supports: [tools], context: 128000, "
                + "weight: \($0 % 5 + 1), price: { input: \($0 % 9), output: 1 } }"
        }
        let routes = (0..<100).map { "  r\($0): { \(extra)try: { select: { \(selector) }, order: \(order.rawValue) }, fallback: [m0] }" }
        let other = "  other: { try: [m0] }"
        return (["version: 1", "providers: { demo: { plugin: demo } }", "models:"] + models + ["routes:"] + routes + [other]).joined(
            separator: "\n")
    }
}

/// A policy in memory.
private struct OneFile: PolicySource {
    var text: String

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] { Array(text.utf8) }
    func environment(_ name: String) -> String? { nil }
    func glob(_ pattern: String) -> [String] { [] }
}
