public import ProviderKit

/// Amazon Bedrock's Converse API.
///
/// A plugin writes requests with ``BedrockConverseBody``, and reads responses with ``decoder(for:head:)``. No client
/// sends this format, so every request is translated. Source for all of it: botocore 1.44.8, `bedrock-runtime`,
/// `service-2.json`.
public enum BedrockConverse {
    /// The format.
    public static let format = WireFormat("bedrock-converse")
}
