//! Wayleave's command line.

fn main() -> std::process::ExitCode {
    wayleave::cli::main()
}
