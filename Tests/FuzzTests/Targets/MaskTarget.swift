import ProviderKit
import RoutingPolicy
import TestSupport

/// No masked text shows eight consecutive characters of a secret, encoded up to twice, wherever the text is cut.
///
/// The first four bytes choose the encodings, the place of the secret in the rest, and the cut.
func checkMask(_ bytes: [UInt8]) throws {
    guard bytes.count >= 4 else { return }
    let rest = Array(bytes[4...])
    let encodings = SecretEncoding.all
    var encoding = encodings[Int(bytes[0]) % encodings.count]
    let outer = Int(bytes[1]) % (encodings.count + 1)
    if outer < encodings.count { encoding = encoding.within(encodings[outer]) }
    let place = rest.count * Int(bytes[2]) / 255
    var text = rest[..<place] + encoding.encode(secret) + rest[place...]
    text = bytes[3] < 128 ? text.dropFirst(Int(bytes[3])) : text.dropLast(Int(bytes[3] - 128))

    let masked = mask(String(decoding: text, as: UTF8.self))
    let output = Array(masked.utf8)
    for start in 0...(secret.count - 8) {
        let window = Array(secret[start..<(start + 8)])
        try ensure(!output.holds(window), "it shows '\(String(decoding: window, as: UTF8.self))': \(masked)")
        for fragment in encoding.fragments(window) {
            try ensure(!output.holds(fragment), "\(encoding): it shows '\(String(decoding: fragment, as: UTF8.self))': \(masked)")
        }
    }
}

private let secret = Array("sk-Zq7_vK2m.Xw9+Lp4s/Jd8".utf8)
private let mask = SecretMask([Secret("another-secret-of-theirs"), Secret(String(decoding: secret, as: UTF8.self))])
