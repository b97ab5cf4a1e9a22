"""Packs modules as Ansible does, in a process of its own: Ansible changes how Python imports."""

from __future__ import annotations

import json
import sys


def serve() -> None:
    """Answer each line C([name, arguments]) with a line: the payload as JSON text."""
    from ansible.executor import module_common
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader, module_loader
    from ansible.template import Templar

    init_plugin_loader()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        found = module_loader.find_plugin_with_context(f"bw.selfhost.{name}")
        built = module_common.modify_module(
            module_name=found.resolved_fqcn,
            module_path=found.plugin_resolved_path,
            module_args={**arguments, "_ansible_module_name": found.resolved_fqcn},
            templar=Templar(loader=DataLoader()),
            task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
        )
        data = built[0] if isinstance(built, tuple) else built.b_module_data
        print(json.dumps(data.decode()), flush=True)


if __name__ == "__main__":
    serve()
