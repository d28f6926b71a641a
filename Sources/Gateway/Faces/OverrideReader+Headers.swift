import ConfigTree
import HTTPWire
import RoutingPolicy

/// `x-router-*`: routing overrides for clients that can't add fields to a body.
extension OverrideReader {
    private static let prefix = "x-router-"
    private static let model = "x-router-model"
    /// `Exchange` reads it; here it is only checked.
    private static let metadata = "x-router-metadata"

    private static let overrides = Dictionary(
        uniqueKeysWithValues: RoutingOverride.all.enumerated().flatMap { index, override in override.headers.map { ($0, index) } })

    /// A header that looks like a misspelled override is refused, because dropping an override silently would route the
    /// request otherwise than the client wants. Any other header with the prefix is ignored: a client whose gateway
    /// adds its own `x-router-token` could do nothing about a 400.
    ///
    /// nil if there is no such header, as in most requests.
    init?(headers: borrowing HTTPFields) throws(APIError) {
        guard headers.contains(prefix: "x-router-") else { return nil }
        var seen: UInt64 = 0
        var refusal: APIError?
        headers.forEach(prefix: "x-router-") { name, value in
            guard refusal == nil else { return }
            do throws(APIError) { try read(name, value, &seen) } catch { refusal = error }
        }
        if let refusal { throw refusal }
        if seen != 0 { try check { $0.headers[0] } }
    }

    private mutating func read(_ name: String, _ value: String, _ seen: inout UInt64) throws(APIError) {
        if name == Self.metadata {
            guard ["on", "off"].contains(value.lowercased()) else { throw .invalid(name, "'on' or 'off'") }
            return
        }
        let index = name == Self.model ? RoutingOverride.all.count : Self.overrides[name]
        guard let index else { return try refuseNearMiss(name) }
        let bit = UInt64(1) << UInt64(index)
        guard seen & bit == 0 else { throw .duplicate(name) }
        seen |= bit
        if name == Self.model {
            try readModels(.header(value), name: name)
        } else {
            try read(RoutingOverride.all[index], .header(value), name: name)
        }
    }

    private func refuseNearMiss(_ name: String) throws(APIError) {
        let known = [Self.model] + RoutingOverride.all.flatMap(\.headers) + [Self.metadata]
        let firstWord = Self.firstWord(name)
        guard let near = Self.nearest(name, known) ?? known.first(where: { Self.firstWord($0) == firstWord }) else { return }
        throw APIError(400, "there is no header '\(name.excerpt)'; did you mean '\(near)'?", code: "unknown_header", param: name.excerpt)
    }

    /// Compares what follows the prefix.
    private static func nearest(_ name: String, _ known: [String]) -> String? {
        ConfigTree.nearest(to: String(name.dropFirst(prefix.count)), in: known.map { String($0.dropFirst(prefix.count)) }).map {
            prefix + $0
        }
    }

    private static func firstWord(_ name: String) -> Substring {
        name.dropFirst(prefix.count).prefix { $0 != "-" }
    }
}
