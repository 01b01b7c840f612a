package server

import "runtime/debug"

// build is what the Go toolchain wrote into the program.
type build struct {
	Version, Commit string
}

func ReadBuild() build {
	b := build{Version: "unknown", Commit: "unknown"}
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

// userAgent is how Courant names itself to the sources.
func userAgent() string { return "courant/" + ReadBuild().Version }
