import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// The check that the folder for uploads can hold files. Nothing is acquired; the engine takes the folder over.
struct SpoolFolder: PolicyResource {
    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
        let folder = policy.server.spool
        do throws(IOError) {
            try BodySpool.check(folder: folder)
        } catch {
            // Many containers have no writable folder, and most policies need none.
            if folder == ServerSettings().spool, !policy.models.contains(where: { $0.serves.contains(where: \.takesForms) }) {
                return Checked()
            }
            throw ResourceFailure(
                description: "can't keep uploads in '\(folder)': \(error.words); make the folder writable or change 'server.spool'")
        }
        return Checked()
    }

    private struct Checked: PreparedResource {
        func commit() async {}
        func undo() async {}
    }
}
