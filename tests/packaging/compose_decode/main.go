// Reads a compose file from standard input, loads it as Compose does, by the schema and with all rules
// of compose-go, and prints the project as JSON. It ends with 1 at a key that the specification does
// not have, a value of another type, or a name that nothing defines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

func load(input io.Reader, folder string) (*types.Project, error) {
	content, err := io.ReadAll(input)
	if err != nil {
		return nil, err
	}
	return loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: content}},
		Environment: types.Mapping{},
	}, func(options *loader.Options) {
		options.SetProjectName("outboxd", false)
	})
}

func main() {
	project, err := load(os.Stdin, "/")
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(project)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose_decode:", err)
		os.Exit(1)
	}
}
