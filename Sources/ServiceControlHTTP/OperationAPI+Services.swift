public import OperationHTTP
public import OperationTracking
public import ServiceControl

extension OperationAPI {
    /// Makes an API that also shows and controls the services of this machine: `/api/ports/…` and `/api/self-heal/…`.
    ///
    /// Whoever may ask may start, stop and kill what `ServiceController` allows: processes that hold the port of a service in
    /// the registry's file. What is registered over HTTP gives no right to kill, and has no commands unless
    /// `ServiceController.Configuration.runsRegisteredCommands` is set.
    ///
    /// - Parameters:
    ///   - tracker: whose operations are shown; the one that the controller has.
    ///   - runner: who runs what clients ask for, with its providers; `nil` when there is none.
    ///   - services: who looks after the services.
    ///   - assets: files that are served as they are.
    ///   - configuration: who may ask, and how much.
    public convenience init(
        tracker: OperationTracker,
        runner: OperationRunner? = nil,
        services: ServiceController,
        assets: [APIAsset] = [],
        configuration: Configuration = Configuration()
    ) {
        self.init(
            tracker: tracker,
            runner: runner,
            assets: assets,
            adding: ServiceRoutes(services: services, tracker: tracker).all,
            configuration: configuration
        )
    }
}
