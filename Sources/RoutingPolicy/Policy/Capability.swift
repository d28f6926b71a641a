/// A capability that a model has or a request needs.
package enum Capability: String, Sendable, CaseIterable {
    case image, audio, video, file, tools, json, reasoning, streaming
}

package typealias CapabilitySet = CaseSet<Capability>

extension CapabilitySet {
    /// The capabilities that stand for a kind of message part.
    package static let media: CapabilitySet = [.image, .audio, .video, .file]
}
