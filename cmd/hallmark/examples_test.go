package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hallmark/internal/strictyaml"
)

const examples = "../../examples"

// readExample reads a YAML file of the examples as a CI service would, and refuses what it may not.
func readExample(t *testing.T, name string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := strictyaml.Decode(name, b, &doc, strictyaml.Options{}); err != nil {
		t.Fatal(err)
	}
	return doc
}

// dig follows keys, and indexes written as numbers of type int.
func dig(t *testing.T, v any, way ...any) any {
	t.Helper()
	for _, k := range way {
		switch x := v.(type) {
		case map[string]any:
			v = x[k.(string)]
		case []any:
			v = x[k.(int)]
		}
		if v == nil {
			t.Fatalf("no %v on the way %v", k, way)
		}
	}
	return v
}

// TestAction holds that the action's inputs, the step's environment, the script and the workflow fit.
func TestAction(t *testing.T) {
	action := readExample(t, "github/action.yml")
	inputs := dig(t, action, "inputs").(map[string]any)
	env := dig(t, action, "runs", "steps", 0, "env").(map[string]any)
	script, err := os.ReadFile(filepath.Join(examples, "github/check.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range env {
		m := regexp.MustCompile(`^\$\{\{ inputs\.([a-z-]+) \}\}$`).FindStringSubmatch(value.(string))
		if m == nil || inputs[m[1]] == nil {
			t.Errorf("env %s: %v names no input", name, value)
		}
		if !strings.Contains(string(script), "$"+name) {
			t.Errorf("the script does not use %s", name)
		}
	}
	if len(env) != len(inputs) {
		t.Errorf("%d inputs, %d of them in the environment", len(inputs), len(env))
	}
	run := dig(t, action, "runs", "steps", 0, "run").(string)
	if info, err := os.Stat(filepath.Join(examples, "github", filepath.Base(strings.Trim(run, `"`)))); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("the step runs %s: %v", run, err)
	}
	for _, o := range dig(t, action, "outputs").(map[string]any) {
		name := strings.TrimSuffix(strings.TrimPrefix(dig(t, o, "value").(string), "${{ steps.check.outputs."), " }}")
		if !strings.Contains(string(script), name+"=") {
			t.Errorf("the script sets no output %s", name)
		}
	}
	workflow := readExample(t, "repository/.github/workflows/firmware.yml")
	for name := range dig(t, workflow, "jobs", "check", "steps", 1, "with").(map[string]any) {
		if inputs[name] == nil {
			t.Errorf("the workflow gives %s, which is no input", name)
		}
	}
}

// TestPreCommitHook holds that the hook runs a verb that there is, on the files that it should.
func TestPreCommitHook(t *testing.T) {
	b, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var hooks []map[string]string
	if err := strictyaml.Decode("hooks", b, &hooks, strictyaml.Options{}); err != nil {
		t.Fatal(err)
	}
	config := readExample(t, "repository/.pre-commit-config.yaml")
	if got := dig(t, config, "repos", 0, "hooks", 0, "id"); got != hooks[0]["id"] {
		t.Errorf("the sample repository wants hook %v, there is %s", got, hooks[0]["id"])
	}
	verb := strings.Fields(hooks[0]["entry"])
	c, rest, err := newRootCommand(&environment{}).Find(verb[1:])
	if verb[0] != "hallmark" || err != nil || len(rest) > 0 || c.Name() != verb[len(verb)-1] {
		t.Errorf("the hook runs %q: %v", verb, err)
	}
	files, exclude := regexp.MustCompile(hooks[0]["files"]), regexp.MustCompile(hooks[0]["exclude"])
	var got []string
	for _, name := range []string{"lists/approved.yaml", "lists/waivers.yaml", "lists/approved.yaml.dsse.json", "approved-2026.json", ".gitlab-ci.yml"} {
		if files.MatchString(name) && !exclude.MatchString(name) {
			got = append(got, name)
		}
	}
	if want := []string{"lists/approved.yaml", "lists/waivers.yaml", "approved-2026.json"}; !slices.Equal(got, want) {
		t.Errorf("the hook looks at %q, want %q", got, want)
	}
}

// TestDockerfile holds that the image is made from scratch, of a program without C.
func TestDockerfile(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(examples, "docker/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var from, copied []string
	for _, line := range strings.Split(string(b), "\n") {
		switch f := strings.Fields(line); {
		case len(f) > 1 && f[0] == "FROM":
			from, copied = append(from, f[1]), nil
		case len(f) > 1 && f[0] == "COPY":
			copied = append(copied, f[len(f)-1])
		}
	}
	if from[len(from)-1] != "scratch" || !slices.Contains(copied, "/hallmark") || !slices.Contains(copied, "/tmp") {
		t.Errorf("the last stage is from %s and holds %q", from[len(from)-1], copied)
	}
	if !strings.Contains(string(b), "CGO_ENABLED=0 go build") || !strings.Contains(string(b), `ENTRYPOINT ["/hallmark"]`) {
		t.Error("the program is not built without C, or not what the image runs")
	}
}

// gitlabScript writes the job of the GitLab template as the runner would run it.
func gitlabScript(file string) error {
	b, err := os.ReadFile(filepath.Join(examples, "gitlab/hallmark.gitlab-ci.yml"))
	if err != nil {
		return err
	}
	var doc struct {
		Job struct {
			Stage     string            `yaml:"stage"`
			Image     string            `yaml:"image"`
			Variables map[string]string `yaml:"variables"`
			Script    []string          `yaml:"script"`
			Artifacts map[string]any    `yaml:"artifacts"`
		} `yaml:".hallmark"`
	}
	if err := strictyaml.Decode("gitlab", b, &doc, strictyaml.Options{}); err != nil {
		return err
	}
	lines := []string{"set -e"}
	for name, value := range doc.Job.Variables {
		lines = append(lines, name+`="${`+name+":-"+value+`}"`)
	}
	return os.WriteFile(file, []byte(strings.Join(append(lines, doc.Job.Script...), "\n")+"\n"), 0o644)
}
