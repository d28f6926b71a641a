/// A capability that a model has or a request needs.
package enum Capability: String, Sendable, CaseIterable {
    case image, audio, video, file, tools, json, reasoning, streaming

    fileprivate var bit: UInt8 {
        switch self {
        case .image: 1
        case .audio: 2
        case .video: 4
        case .file: 8
        case .tools: 16
        case .json: 32
        case .reasoning: 64
        case .streaming: 128
        }
    }
}

/// A set of capabilities in one byte, because each request's set may be compared with the sets of a thousand models.
package struct CapabilitySet: Sendable, Hashable, SetAlgebra, Sequence {
    /// One bit for each capability.
    package private(set) var bits: UInt8 = 0

    package init() {}

    /// The capabilities that stand for a kind of message part.
    package static let media: CapabilitySet = [.image, .audio, .video, .file]

    package init(arrayLiteral capabilities: Capability...) {
        for capability in capabilities { bits |= capability.bit }
    }

    private init(bits: UInt8) { self.bits = bits }

    package func contains(_ capability: Capability) -> Bool { bits & capability.bit != 0 }

    package func isSuperset(of others: CapabilitySet) -> Bool { bits & others.bits == others.bits }

    @discardableResult
    package mutating func insert(_ capability: Capability) -> (inserted: Bool, memberAfterInsert: Capability) {
        defer { bits |= capability.bit }
        return (!contains(capability), capability)
    }

    @discardableResult
    package mutating func remove(_ capability: Capability) -> Capability? {
        defer { bits &= ~capability.bit }
        return contains(capability) ? capability : nil
    }

    @discardableResult
    package mutating func update(with capability: Capability) -> Capability? {
        defer { bits |= capability.bit }
        return contains(capability) ? capability : nil
    }

    package func union(_ others: CapabilitySet) -> CapabilitySet { CapabilitySet(bits: bits | others.bits) }
    package func intersection(_ others: CapabilitySet) -> CapabilitySet { CapabilitySet(bits: bits & others.bits) }
    package func symmetricDifference(_ others: CapabilitySet) -> CapabilitySet { CapabilitySet(bits: bits ^ others.bits) }
    package mutating func formUnion(_ others: CapabilitySet) { bits |= others.bits }
    package mutating func formIntersection(_ others: CapabilitySet) { bits &= others.bits }
    package mutating func formSymmetricDifference(_ others: CapabilitySet) { bits ^= others.bits }

    /// Iterates in the order in which `Capability` declares its cases.
    package func makeIterator() -> some IteratorProtocol<Capability> {
        Capability.allCases.lazy.filter(contains).makeIterator()
    }
}
