public import ConfigTree

/// A kind of provider, which `plugin:` names in a policy file.
///
/// A plugin is pure: it translates values, and uses no file, socket, clock or global state. The router owns all of
/// those.
///
/// ```swift
/// public enum AcmePlugin: ProviderPlugin {
///     public static let name = "acme"
///
///     public static func readOptions(_ fields: inout FieldReader) -> AcmeOptions? {
///         let baseURL = fields.baseURL("base_url", required: true)
///         let apiKeys = fields.secrets("api_key", required: true)
///         guard let baseURL, !apiKeys.isEmpty else { return nil }
///         return AcmeOptions(baseURL: baseURL, apiKeys: apiKeys)
///     }
///
///     public static func makeProvider(_ options: AcmeOptions) -> any Provider {
///         AcmeProvider(options: options)
///     }
/// }
/// ```
public protocol ProviderPlugin: Sendable {
    /// The validated options of one provider. A value of this type exists only if the policy file is valid.
    ///
    /// A provider whose options are equal before and after a reload keeps its connections and its state.
    associatedtype Options: Sendable, Equatable

    /// The value of `plugin:` in a policy file, in lower case.
    static var name: String { get }

    /// The version of the plugin, for people: `1.2.0`. nil if it has none of its own. The built-in plugins have the
    /// router's.
    static var version: String? { get }

    /// Reads the options of one provider.
    ///
    /// It is called for each provider of this kind when a policy file is loaded or checked. `fields` is the provider's
    /// mapping, of which the router reads its own keys, such as `plugin`, `timeouts` and `limits`. It is also called
    /// with an empty mapping, to list the options that the plugin has: read all of them, whatever their values are. A
    /// loaded plugin is first called so in a process that ends after it.
    ///
    /// - Returns: the options; nil only if an issue was recorded in `fields`. All issues should be recorded, not only
    ///   the first.
    static func readOptions(_ fields: inout FieldReader) -> Options?

    /// Creates a provider.
    ///
    /// The router creates several providers from the same options: one when a load of the policy adds or changes the
    /// provider, and another one on each event loop that sends requests to it, so that threads share no state. It may
    /// be called on any thread.
    static func makeProvider(_ options: Options) -> any Provider
}

extension ProviderPlugin {
    /// By default nil.
    public static var version: String? { nil }
}
