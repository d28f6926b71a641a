import ConfigTree
import Glibc
import ProviderKit
import RoutingPolicy

/// What a process does with a library that it is started for; see ``PluginProbe``.
package enum ProbedPlugin {
    /// Written when it begins, one byte each.
    enum Step: UInt8 {
        case load = 1
        case entry, description, options, provider, properties, formats, finished

        var words: String {
            switch self {
            case .load: "while it loads the library"
            case .entry: "in '\(PluginExport.entryPoint)'"
            case .description: "while it reads the plugin's name and version"
            case .options: "in 'readOptions(_:)'"
            case .provider: "in 'makeProvider(_:)'"
            case .properties: "while it reads the properties of a provider"
            case .formats: "in 'formats(for:model:)'"
            case .finished: "at its end"
            }
        }
    }

    /// The file that the steps are written to.
    static let stepsDescriptor: Int32 = 3

    /// Loads the library and asks the plugin what the router asks during a load. Never returns.
    ///
    /// What is wrong with the library but doesn't end the process is for the router to report, which finds it too.
    package static func run(_ library: String) -> Never {
        // The router may have ended meanwhile.
        alarm(60)
        signal(SIGXFSZ, SIG_IGN)
        limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), 0)
        limit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), 1 << 20)
        begin(.load)
        if let library = try? SharedLibrary(library) {
            begin(.entry)
            if let plugin = try? library.plugin() { plugin.probe() }
        }
        begin(.finished)
        _exit(0)
    }

    private static func limit(_ resource: __rlimit_resource_t, _ value: rlim_t) {
        var limit = rlimit(rlim_cur: value, rlim_max: value)
        setrlimit(resource, &limit)
    }

    fileprivate static func begin(_ step: Step) {
        var byte = step.rawValue
        write(stepsDescriptor, &byte, 1)
    }
}

/// A protocol without a conformance: a search for one reads all that the library has.
private protocol Unconformed {}

extension ProviderPlugin {
    fileprivate static func probe() {
        guard !(self is any Unconformed.Type) else { return }
        ProbedPlugin.begin(.description)
        guard name.utf8.count >= 0, version?.utf8.count ?? 0 >= 0 else { return }
        ProbedPlugin.begin(.options)
        let place = SourcePosition(file: "", line: 1, column: 1)
        var fields = FieldReader([], at: place)
        let none = readOptions(&fields)
        // Values that read as valid ones of any type, for what is required, and for what is read only then.
        var all = FieldReader(
            fields.known.map { field in
                let value = ConfigScalar("", source: "", style: .plain, isUnresolved: true)
                return ConfigEntry(key: ConfigText(field.key, at: place), value: ConfigNode(.scalar(value), at: place))
            }, at: place)
        for options in [none, readOptions(&all)].compactMap(\.self) {
            ProbedPlugin.begin(.provider)
            let provider = makeProvider(options)
            ProbedPlugin.begin(.properties)
            _ = (provider.canContinue, provider.origin, provider.authentication, provider.secrets)
            ProbedPlugin.begin(.formats)
            for operation in Operation.allCases {
                _ = provider.formats(for: operation, model: "model")
                _ = provider.optionalFormats(for: operation, model: "model")
            }
        }
    }
}
