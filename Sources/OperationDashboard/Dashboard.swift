public import OperationHTTP

/// The web page that shows and controls the operations of a server: one page at `/`, its parts under `/assets/`.
///
/// It is part of the program: there is no file to install beside it, no build step, and nothing that it loads from elsewhere.
/// Give ``assets`` to `OperationAPI`.
public enum Dashboard {
    /// The page's files.
    public static let assets: [APIAsset] =
        [
            page("/", html, PackageResources.index_html),
            page("/assets/style.css", css, PackageResources.style_css),
            page("/assets/icon.svg", "image/svg+xml", PackageResources.icon_svg),
        ]
        + scripts.map { page("/assets/\($0).js", "text/javascript; charset=utf-8", $1) }

    private static let html = "text/html; charset=utf-8"
    private static let css = "text/css; charset=utf-8"

    private static let scripts = [
        ("api", PackageResources.api_js), ("asking", PackageResources.asking_js), ("axes", PackageResources.axes_js),
        ("connection", PackageResources.connection_js), ("details-dialog", PackageResources.details_dialog_js),
        ("dialog", PackageResources.dialog_js), ("dom", PackageResources.dom_js),
        ("events-view", PackageResources.events_view_js), ("format", PackageResources.format_js),
        ("history-figures", PackageResources.history_figures_js), ("history-view", PackageResources.history_view_js),
        ("live", PackageResources.live_js), ("live-worker", PackageResources.live_worker_js),
        ("machine-view", PackageResources.machine_view_js), ("main", PackageResources.main_js),
        ("operation-card", PackageResources.operation_card_js),
        ("operations-view", PackageResources.operations_view_js), ("plot", PackageResources.plot_js),
        ("plot-drawing", PackageResources.plot_drawing_js), ("plot-table", PackageResources.plot_table_js),
        ("plots", PackageResources.plots_js), ("ports-view", PackageResources.ports_view_js),
        ("sparkline", PackageResources.sparkline_js), ("start-view", PackageResources.start_view_js),
        ("store", PackageResources.store_js),
    ]

    private static func page(_ path: String, _ type: String, _ bytes: [UInt8]) -> APIAsset {
        APIAsset(path: path, contentType: type, bytes: bytes)
    }
}
