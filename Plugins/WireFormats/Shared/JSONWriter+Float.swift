import Codecs

extension JSONWriter {
    /// Writes a number of a vector. One that is not finite has no form in JSON, and becomes null.
    mutating func float(_ value: Float) {
        guard value.isFinite else { return null() }
        raw(Array(value.description.utf8))
    }
}
