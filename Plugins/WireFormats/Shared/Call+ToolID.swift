import ProviderKit

extension Call {
    /// An id for a tool call that the upstream gives none. No other call of the conversation has it, because clients
    /// and other providers tell calls apart by it.
    ///
    /// - Parameters:
    ///   - index: the call's place in the response.
    ///   - response: what tells the response apart from all others, such as its id; nil if nothing does.
    func toolID(_ index: Int, of response: String?) -> String {
        guard let response, !response.isEmpty else { return "call_\(freeNumber + index)" }
        // As a hash, because ids may be long. Source: RFC draft-eastlake-fnv, FNV-1a with 64 bits.
        let hash = response.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "call_\(String(hash, radix: 36))_\(index)"
    }

    /// A number from which on no call in the request has an id of the form `call_NUMBER`.
    private var freeNumber: Int {
        guard case .chat(let request) = payload else { return 0 }
        var free = 0
        for case .toolCall(let call) in request.messages.lazy.flatMap(\.parts).map(\.content) {
            if call.id.hasPrefix("call_"), let number = UInt32(call.id.dropFirst(5)) { free = max(free, Int(number) + 1) }
        }
        return free
    }
}
