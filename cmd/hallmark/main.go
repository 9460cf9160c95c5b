// Command hallmark takes the firmware of cameras and recorders apart, says what it is made of,
// and says who really made it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &environment{
		stdin: stdin, stdout: stdout, stderr: stderr,
		tmp: os.TempDir(), sourceDate: os.Getenv("SOURCE_DATE_EPOCH"), noColor: os.Getenv("NO_COLOR") != "",
	}
	root := newRootCommand(env)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "hallmark:", err)
	}
	return exitCode(err)
}

// environment is what commands take from the process.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	tmp            string // folder for temporary files
	sourceDate     string // SOURCE_DATE_EPOCH
	noColor        bool   // NO_COLOR, see no-color.org
}
