extension Duration {
    /// Drawn from (1 - jitter)...(1 + jitter) of this length.
    func jittered(by jitter: Double, using random: inout some RandomNumberGenerator) -> Duration {
        jitter > 0 ? self * Double.random(in: (1 - jitter)...(1 + jitter), using: &random) : self
    }
}
