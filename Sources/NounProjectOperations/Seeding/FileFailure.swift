import OperationTracking

/// System calls on files that failed.
enum FileFailure {
    /// The failure that an error of the system stands for.
    ///
    /// - Parameters:
    ///   - task: what could not be done, such as `write /a/b`.
    ///   - error: what the system said.
    static func failure(_ task: String, _ error: SystemCallError = SystemCallError()) -> OperationFailure {
        if error.isFullDisk {
            return OperationFailure(
                .diskFull,
                "There is no room left to \(task). Free some, then start it again: what is there already is not fetched again."
            )
        }
        return OperationFailure(
            .storageError,
            "Can't \(task): \(error.reason). Make it possible for this user, or choose another folder."
        )
    }
}
