document.querySelectorAll('thead button').forEach((button, column) => {
  button.addEventListener('click', () => {
    const head = button.parentElement, body = document.querySelector('tbody');
    const order = head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending';
    document.querySelectorAll('[aria-sort]').forEach(other => other.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', order);
    const value = row => row.children[column].dataset.sort;
    const compare = (a, b) => a - b || a.localeCompare(b);
    const sign = order === 'ascending' ? 1 : -1;
    body.append(...[...body.rows].sort((a, b) => sign * compare(value(a), value(b))));
  });
});
