# docker buildx bake --file deploy/docker/bramble/docker-bake.hcl --push
# Builds both images for both architectures and pushes them; run from the root of the repository.

variable "REGISTRY" {
  default = "registry.home.lab"
}

variable "VERSION" {
  default = "0.1.0"
}

variable "REVISION" {
  default = "unknown"
}

variable "CREATED" {
  default = "1970-01-01T00:00:00Z"
}

group "default" {
  targets = ["api", "worker"]
}

target "common" {
  context    = "."
  dockerfile = "deploy/docker/bramble/Dockerfile"
  platforms  = ["linux/arm64", "linux/amd64"]
  args = {
    VERSION  = VERSION
    REVISION = REVISION
    CREATED  = CREATED
  }
  attest = ["type=provenance,mode=max", "type=sbom"]
}

target "api" {
  inherits = ["common"]
  target   = "api"
  tags     = ["${REGISTRY}/bramble/api:${VERSION}"]
}

target "worker" {
  inherits = ["common"]
  target   = "worker"
  tags     = ["${REGISTRY}/bramble/worker:${VERSION}"]
}
