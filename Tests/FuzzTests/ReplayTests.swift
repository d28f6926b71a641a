import Foundation
import Testing

/// The properties hold for the committed inputs of the fuzz targets. `make fuzz` finds others.
struct ReplayTests {
    @Test("no committed input breaks a property", arguments: FuzzTarget.all)
    func replay(_ target: FuzzTarget) throws {
        for folder in target.inputs {
            let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
            #expect(!names.isEmpty)
            for name in names.sorted() {
                guard let input = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
                #expect(throws: Never.self, "\(name)") { try target.check(Array(input)) }
            }
        }
    }

    @Test("every folder of inputs belongs to a target")
    func folders() throws {
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: FuzzTarget.folder)) == Set(FuzzTarget.all.map(\.name)))
    }
}
