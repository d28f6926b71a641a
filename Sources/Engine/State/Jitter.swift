extension Duration {
    /// A random duration between (1 - jitter) and (1 + jitter) times this one.
    func jittered(by jitter: Double, using random: inout some RandomNumberGenerator) -> Duration {
        jitter > 0 ? self * Double.random(in: (1 - jitter)...(1 + jitter), using: &random) : self
    }
}
