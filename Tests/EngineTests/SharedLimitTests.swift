import TestSupport
import Testing

/// How exact a limit is that many routers share with leases.
struct SharedLimitTests {
    private static func outcome(
        of arrivals: [SharedLimitSimulation.Arrival], routers: Int, share: Double
    ) -> SharedLimitSimulation.Outcome {
        SharedLimitSimulation.outcome(of: arrivals, routers: routers, perMinute: 600, share: share)
    }

    @Test(arguments: [1, 3, 50], [0.01, 0.1, 0.5])
    func `leases admit in no minute more than their share of the limit beyond what one router admits`(routers: Int, share: Double) {
        // A full bucket, and what it refills in a minute.
        let bound = 600 + 600 + Int(share * 600)
        for perMinute in [300, 1200, 20_000] {
            let arrivals = [SharedLimitSimulation.Arrival].random(perMinute: perMinute, minutes: 3, routers: routers)
            #expect(Self.outcome(of: arrivals, routers: routers, share: share).mostInAMinute <= bound, "\(perMinute) a minute")
        }
        let worst = Self.outcome(of: .lateBurst(routers: routers, share: share), routers: routers, share: share).mostInAMinute
        #expect(worst <= bound)
    }

    @Test
    func `docs/scaling.md has the figures of the simulation`() throws {
        var rows = [
            "| requests | routers | `lease` | most admitted in a minute | admitted in all | asked Redis |", "|---|---|---|---|---|---|",
        ]
        for (name, perMinute) in [("300 a minute", 300), ("590 a minute", 590), ("1,200 a minute", 1200), ("a late burst", 0)] {
            for (routers, percent) in [(1, 0), (3, 1), (50, 1), (3, 10), (50, 10)] {
                let share = Double(percent) / 100
                let arrivals: [SharedLimitSimulation.Arrival] =
                    perMinute == 0
                    ? .lateBurst(routers: routers, share: percent == 1 ? 0.01 : 0.1)
                    : .random(perMinute: perMinute, minutes: 10, routers: routers)
                let outcome = Self.outcome(of: arrivals, routers: routers, share: share)
                rows.append(
                    "| \(name) | \(routers) | \(percent)% | \(outcome.mostInAMinute) | \(outcome.admitted) of \(arrivals.count) | \(outcome.roundTrips) |"
                )
            }
        }
        let table = rows.joined(separator: "\n")
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let document = String(decoding: readFile("\(root)/docs/scaling.md") ?? [], as: UTF8.self)
        #expect(document.contains(table), "write this table into docs/scaling.md:\n\(table)")
    }
}
