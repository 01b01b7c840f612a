package entrance

// maxOpenFiles returns how many files and connections the process may have open: Windows sets no limit.
func maxOpenFiles() int { return unlimitedFiles }
