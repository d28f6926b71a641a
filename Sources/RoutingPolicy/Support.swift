/// What a model can do, or a request needs.
package enum Support: String, Sendable, CaseIterable {
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

/// A set of them in one byte: requests carry it, and a thousand models are compared with it.
package struct SupportSet: Sendable, Hashable, SetAlgebra, Sequence {
    /// A bit for each.
    package private(set) var bits: UInt8 = 0

    package init() {}

    package init(arrayLiteral supports: Support...) {
        for support in supports { bits |= support.bit }
    }

    private init(bits: UInt8) { self.bits = bits }

    package func contains(_ support: Support) -> Bool { bits & support.bit != 0 }

    package func isSuperset(of others: SupportSet) -> Bool { bits & others.bits == others.bits }

    @discardableResult
    package mutating func insert(_ support: Support) -> (inserted: Bool, memberAfterInsert: Support) {
        defer { bits |= support.bit }
        return (!contains(support), support)
    }

    @discardableResult
    package mutating func remove(_ support: Support) -> Support? {
        defer { bits &= ~support.bit }
        return contains(support) ? support : nil
    }

    @discardableResult
    package mutating func update(with support: Support) -> Support? {
        defer { bits |= support.bit }
        return contains(support) ? support : nil
    }

    package func union(_ others: SupportSet) -> SupportSet { SupportSet(bits: bits | others.bits) }
    package func intersection(_ others: SupportSet) -> SupportSet { SupportSet(bits: bits & others.bits) }
    package func symmetricDifference(_ others: SupportSet) -> SupportSet { SupportSet(bits: bits ^ others.bits) }
    package mutating func formUnion(_ others: SupportSet) { bits |= others.bits }
    package mutating func formIntersection(_ others: SupportSet) { bits &= others.bits }
    package mutating func formSymmetricDifference(_ others: SupportSet) { bits ^= others.bits }

    /// In the order in which `Support` lists them.
    package func makeIterator() -> some IteratorProtocol<Support> {
        Support.allCases.lazy.filter(contains).makeIterator()
    }
}
