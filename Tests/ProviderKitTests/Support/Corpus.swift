import Foundation

/// The public test vectors in the folder that the environment variable CORPORA names. If it is unset, their tests are
/// skipped.
enum Corpus {
    static let folder = ProcessInfo.processInfo.environment["CORPORA"].map { URL(filePath: $0, directoryHint: .isDirectory) }

    static func files(in name: String) throws -> [(name: String, bytes: [UInt8])] {
        guard let folder = folder?.appending(path: name) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { file in
            (file, [UInt8](try Data(contentsOf: folder.appending(path: file))))
        }
    }

    /// The values of a file of JSON lines.
    static func lines<Line: Decodable>(of path: String, as type: Line.Type) throws -> [Line] {
        guard let folder else { return [] }
        return try Data(contentsOf: folder.appending(path: path)).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(type, from: $0)
        }
    }
}
