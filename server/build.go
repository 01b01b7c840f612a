package server

import "runtime/debug"

// Build is what the Go toolchain recorded in the program.
type Build struct {
	Version, Commit string // "unknown" if it recorded none
}

// ReadBuild returns the version and the commit of the program.
func ReadBuild() Build {
	b := Build{Version: "unknown", Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Commit = setting.Value
		}
	}
	return b
}

// userAgent is the User-Agent of requests to the sources and to the certificate authority.
func userAgent() string { return "courant/" + ReadBuild().Version }
