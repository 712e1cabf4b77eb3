//! The binary: hands over to `gait::cli`.

fn main() -> std::process::ExitCode {
    gait::cli::main()
}
