// Reads manifests of Kubernetes from standard input, decodes each strictly into the type of k8s.io/api,
// or of the operator of Prometheus, that it names, and prints what the types hold as a JSON array. It ends with 1 at a field that the
// type does not have, a field that stands twice, a value of another type, or an unknown kind.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func decode(input io.Reader) ([]runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme, monitoringv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	strict := serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme, scheme,
		serializer.SerializerOptions{Yaml: true, Strict: true})

	objects := []runtime.Object{}
	documents := yaml.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var content any
		if err := yaml.Unmarshal(document, &content); err == nil && content == nil {
			continue // Nothing but comments.
		}
		object, _, err := strict.Decode(document, nil, nil)
		if err != nil {
			first, _, _ := bytes.Cut(bytes.TrimSpace(document), []byte("\n"))
			return nil, fmt.Errorf("the document that begins with '%s': %w", first, err)
		}
		objects = append(objects, object)
	}
}

func main() {
	objects, err := decode(os.Stdin)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(objects)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes_decode:", err)
		os.Exit(1)
	}
}
