import Codecs

extension JSONTree {
    /// The numbers of a list; nil for any other value.
    var vector: [Float]? {
        guard let elements else { return nil }
        let numbers = elements.compactMap { $0.double.map { Float($0) } }
        return numbers.count == elements.count ? numbers : nil
    }
}

extension JSONWriter {
    /// Writes a list of numbers. One that is not finite, which JSON doesn't have, becomes null.
    mutating func vector(_ values: [Float]) {
        array { for value in values { if value.isFinite { $0.raw(Array(value.description.utf8)) } else { $0.null() } } }
    }
}
