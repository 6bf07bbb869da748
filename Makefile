.PHONY: demo test integration sanitize bench docs lint format clean dependencies

SANITIZED = --sanitize=thread -Xswiftc -DTHREAD_SANITIZER --scratch-path .build/tsan
SWIFT_SOURCES = Package.swift Sources Tests Examples Benchmarks/Package.swift Benchmarks/Sources

# Everything that is built needs these; they are installed when missing.
dependencies:
	@.ci/install-dependencies

demo: dependencies
	swift build --product wizard
	@"$$(swift build --show-bin-path)/wizard" demo

test: dependencies
	swift build --build-tests
	@Tests/run-all

# Tests that need other programs: Python clients, real servers. Each says loudly when it is left out.
integration: dependencies
	swift build
	@Tests/Integration/run-all

# The core's and the history's tests under ThreadSanitizer.
sanitize: dependencies
	swift test $(SANITIZED) --filter '^OperationTrackingTests\.'
	swift test $(SANITIZED) --skip-build --filter '^OperationHistorySQLiteTests\.'

# Everything measured, beside its peers, and written into the README and the documentation. What doesn't run here is named
# and left out. It takes some ten minutes, and wants the machine for itself. With TRACES=DIR also how good the time remaining is.
bench: dependencies
	@Benchmarks/Peers/install
	swift build -c release --static-swift-stdlib --package-path Benchmarks
	Benchmarks/.build/release/operation-benchmarks all $(if $(TRACES),--traces $(TRACES)) --write .

docs: dependencies
	@DocsSource/build

lint:
	swift format lint --strict --recursive $(SWIFT_SOURCES)

format:
	swift format --in-place --recursive $(SWIFT_SOURCES)

clean:
	rm -rf .build Benchmarks/.build Benchmarks/Peers/.venv DocsSource/.output
