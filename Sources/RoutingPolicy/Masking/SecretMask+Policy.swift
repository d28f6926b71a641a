import ConfigTree
import ProviderKit

/// The mask for what is shown of a policy: reports, differences and the policy itself.
extension SecretMask {
    /// - Parameters:
    ///   - root: the policy's tree.
    ///   - secrets: where its secrets are.
    convenience init(of root: [ConfigEntry], secrets: [SourcePosition], vocabulary: Vocabulary) {
        let positions = Set(secrets)
        var values: [String] = [], names: Set<String> = []
        for entry in root {
            for (text, position) in entry.value.texts where positions.contains(position) { values.append(text) }
            if case .mapping(let entries) = entry.value.content { names.formUnion(entries.map(\.key.text)) }
        }
        // `api_key: ollama` is no secret, and must not hide `plugin: ollama`.
        let secrets = values.filter { !names.contains($0) && !vocabulary.isWord($0) }
        // Nor is the scheme of an address.
        self.init(secrets.map { text in Secret(text.firstRange(of: "://").map { String(text[$0.upperBound...]) } ?? text) })
    }

    /// The columns of a line that show a secret, from 0.
    func hiddenColumns(of line: [Unicode.Scalar]) -> [Range<Int>] {
        let ranges = hiddenRanges(of: Array(String(String.UnicodeScalarView(line)).utf8))
        guard !ranges.isEmpty else { return [] }
        // The column of each byte.
        let columns = line.indices.flatMap { Array(repeating: $0, count: UTF8.width(line[$0])) }
        return ranges.map { columns[$0.lowerBound]..<(columns[$0.upperBound - 1] + 1) }
    }
}

extension ConfigNode {
    /// The texts inside, each with its position.
    fileprivate var texts: [(String, SourcePosition)] {
        switch content {
        case .scalar(let scalar): scalar.isUnresolved ? [] : [(scalar.text, position)]
        case .sequence(let nodes): nodes.flatMap(\.texts)
        case .mapping(let entries): entries.flatMap(\.value.texts)
        }
    }
}
