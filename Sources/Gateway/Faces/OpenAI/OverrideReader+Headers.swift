import ConfigTree
import HTTPWire

/// `x-router-*`: the router's own fields for clients that can't add members to a body. A header is named as its field, with hyphens.
extension OverrideReader {
    private static let prefix = "x-router-"
    /// Read elsewhere.
    private static let metadata = "x-router-metadata"
    private static let timeout = "x-router-timeout"

    /// A header that isn't known is refused where it looks like one that is: a wish that is misspelt must not be dropped in silence. Any other is let
    /// be, since the prefix is no secret: a client whose gateway adds an `x-router-token` of its own could do nothing about a 400.
    ///
    /// nil: there is none at all, as is usual.
    init?(headers: HTTPFields) throws(APIError) {
        guard headers.contains(prefix: "x-router-") else { return nil }
        var seen: UInt64 = 0
        var refusal: APIError?
        headers.forEach(prefix: "x-router-") { name, value in
            guard refusal == nil else { return }
            if name == Self.metadata {
                if !["on", "off"].contains(value.lowercased()) { refusal = ChatRequest.invalid(name, "'on' or 'off'") }
                return
            }
            do throws(APIError) { try read(name, value, &seen) } catch { refusal = error }
        }
        if let refusal { throw refusal }
        if seen != 0 { try check { $0.headerName } }
    }

    private mutating func read(_ name: String, _ value: String, _ seen: inout UInt64) throws(APIError) {
        guard let field = Self.field(name) else { return try refuseNearMiss(name) }
        let bit = UInt64(1) << UInt64(field.rawValue)
        guard seen & bit == 0 else { throw ChatRequest.givenTwice(name) }
        seen |= bit
        try read(field, .header(value), name: name)
    }

    private static func field(_ name: String) -> ChatRequest.Field? {
        name == timeout ? .timeoutSecs : ChatRequest.Field.inHeaders.first { $0.headerName == name }
    }

    private func refuseNearMiss(_ name: String) throws(APIError) {
        let known = ChatRequest.Field.inHeaders.map(\.headerName) + [Self.metadata, Self.timeout]
        let firstWord = Self.firstWord(name)
        guard let near = Self.nearest(name, known) ?? known.first(where: { Self.firstWord($0) == firstWord }) else { return }
        throw APIError(400, "there is no header '\(name.excerpt)'; did you mean '\(near)'?", code: "unknown_header", param: name.excerpt)
    }

    /// By what stands behind the prefix, which is always the same.
    private static func nearest(_ name: String, _ known: [String]) -> String? {
        ConfigTree.nearest(to: String(name.dropFirst(prefix.count)), in: known.map { String($0.dropFirst(prefix.count)) }).map {
            prefix + $0
        }
    }

    private static func firstWord(_ name: String) -> Substring {
        name.dropFirst(prefix.count).prefix { $0 != "-" }
    }
}

extension ChatRequest.Field {
    fileprivate static let inHeaders = allCases.filter { $0 == .model || $0.isOwn }

    fileprivate var headerName: String { "x-router-" + name.map { $0 == "_" ? "-" : String($0) }.joined() }
}
