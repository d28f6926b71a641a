import HTTPWire
import NIOCore
import ProviderKit

extension Attempt: UpstreamDelegate {
    var isReadyForUpstreamBody: Bool { canRead }

    func upstreamMayReplay(_ call: UpstreamCall) -> Bool { self.call.mayReplay(self) }

    func upstreamRequestSent(_ call: UpstreamCall) {
        transport = call  // this method may be called before `start` returns
        requestSent()
    }

    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead) {
        // Only an error's `retry-after` can be a date, which needs the current time.
        let receivedAt = head.status < 400 ? nil : WallClock.seconds
        headArrived(
            UpstreamHead(status: head.status, fields: WireFields(fields: head.fields), receivedAt: receivedAt),
            requestID: head.fields.upstreamRequestID, passedFields: passedFields(of: head.fields))
    }

    private func passedFields(of fields: HTTPFields) -> [HTTPField] {
        let prefixes = self.call.request.responseFields
        guard translation == nil, !prefixes.isEmpty else { return [] }
        var passed: [HTTPField] = []
        for prefix in prefixes { fields.forEach(prefix: prefix) { passed.append(HTTPField($0, $1)) } }
        return passed
    }

    func upstream(_ call: UpstreamCall, body: ByteBuffer) { bodyArrived(body) }

    func upstreamReadComplete(_ call: UpstreamCall) { readCompleted() }

    func upstreamEnd(_ call: UpstreamCall) { ended() }

    func upstream(_ call: UpstreamCall, failed failure: UpstreamFailure) { failed(failure) }
}

extension Attempt {
    /// The fields that make the provider's spans children of the attempt's; nil if requests aren't traced.
    var trace: TraceFields? {
        guard let trace = call.request.trace else { return nil }
        return trace.fields(ofAttemptAt: startedAt - call.request.arrivedAt, model: candidate.model)
    }

    /// - Parameter bytes: what the parts' ranges refer to.
    func keepIdentity(in parts: [ResponsePart], of bytes: ByteBuffer) {
        guard let trace = call.request.trace else { return }
        let span = trace.spanID(ofAttemptAt: startedAt - call.request.arrivedAt, model: candidate.model)
        call.record.identities[span, default: ResponseIdentity()].read(parts, of: bytes)
    }
}

/// An upstream's header fields, looked up without a copy.
struct WireFields: HTTPFieldLookup {
    var fields: HTTPFields

    func value(_ name: String) -> String? { fields.value(name) }
}
