// Reads docker-compose.yml of the current folder as `docker compose config` does, by the same library, and writes what came out
// as JSON. Arguments are profiles.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(profiles []string) error {
	options, err := cli.NewProjectOptions(nil, cli.WithOsEnv, cli.WithDefaultConfigPath, cli.WithProfiles(profiles))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	text, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}
