/// Which kit a module is compiled for: 16 hexadecimal digits of a hash of the kit's sources, and the compiler's
/// version. The build makes it; see Plugins/ProviderKit/KitTag.
package enum KitTag {
    static let owner = "llm-router"
    static let noteType: UInt32 = 1

    /// That of the router.
    package static let own: String = withUnsafeBytes(of: kitNote) { note in
        String(decoding: note.dropFirst(nameOffset + paddedName).prefix(Int(kitNote.1)), as: UTF8.self)
    }

    private static let nameOffset = 12
    private static let paddedName = 12

    /// The tags in a library; empty if it is no plugin.
    static func tags(in file: ELFFile) -> [String] {
        file.notes.filter { $0.owner == owner && $0.type == noteType }.map(\.text)
    }
}
